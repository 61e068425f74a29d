// 3×3 convolutions of bytes by Winograd's algorithm in whole numbers: the sums are the direct ones, to the bit, at a quarter of the products.
// Private to this target.
//
// Tiles are those of F(4×4, 3×3) on the points 0, ±1, ±2 and ∞ (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016,
// section 4.3). That Winograd's products stay integers where the weights' matrix is freed of its denominators is of Meng and Brothers
// ("Efficient Winograd Convolution via Integer Arithmetic", 2019, section 3). Here
//  - inputs are x − 128, so that a tile's points are within 100 · 128, and fit 16 bits;
//  - weights are multiplied by 24, 6, 6, 24, 24 and 6 along each axis, which leaves whole numbers within 49 · 127, of 16 bits, too;
//  - products are summed, and transformed back, modulo 2³²: what comes out is the output times 24, 12, 6 or 6 for each axis. Of that product, 9
//    has an inverse modulo 2³², and the powers of two, at most 2⁶, are shifted out. So the output itself is known modulo 2²⁶, which is all of it
//    while sums have at most NARROW_WINOGRAD_CHANNELS channels: 128 · 127 · 9 · 228 < 2²⁵. Those of more channels are sums of such sums.
#ifndef KAPTION_NARROW_WINOGRAD_H
#define KAPTION_NARROW_WINOGRAD_H

#include "narrow.h"

enum {
    NARROW_WINOGRAD_SIDE = 6,
    NARROW_WINOGRAD_POINTS = 36,
    NARROW_WINOGRAD_OUTPUTS = 4,  // along each axis
    NARROW_WINOGRAD_CHANNELS = 228,
    NARROW_WINOGRAD_MIDDLE = 128  // what inputs are less
};

// How a layer is cut. Channels go in pairs, one dword.
typedef struct {
    size_t columns, tiles;  // of a row of tiles, and of the layer
    size_t block;           // tiles that are transformed together
    size_t pairs, chunk;    // of all channels, and of those whose sum is exact; the last chunk may have fewer
    size_t row_bytes;       // from a tile's pairs to the next tile's
    size_t plane_bytes;     // from one point's tiles to the next one's
} narrow_winograd;

// Whether `table` takes `layer` by Winograd's algorithm: a pure function of its shape.
int narrow_goes_by_winograd(const narrow_table *table, const kaption_layer *layer);
narrow_winograd narrow_winograd_of(const kaption_layer *layer);
// Floats of scratch memory: a block's points, the products of a panel of filters, and their sums.
size_t narrow_winograd_scratch_floats(const narrow_packing *packing, const kaption_layer *layer);

// Floats of the packed weights, which lie in panels as other weights do; within a panel by chunk, point and pair.
size_t narrow_winograd_floats(const narrow_packing *packing, const kaption_layer *layer);
// `scales`: those of a filter's weights as 8-bit integers.
void narrow_pack_winograd(const narrow_packing *packing, const kaption_layer *layer, const float *w, const float *scales, uint32_t *to);

// Bytes of a block's points, and of a panel's products for each point.
static inline size_t narrow_winograd_point_bytes(const narrow_winograd *cut) { return NARROW_WINOGRAD_POINTS * cut->plane_bytes; }
static inline size_t narrow_winograd_product_plane(const narrow_winograd *cut, size_t width) { return cut->block * width + KAPTION_LANES; }

#endif
