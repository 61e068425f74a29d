// Convolutions by Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, section 4):
// a tile of m outputs of r taps along an axis takes m + r − 1 products in place of m·r, F(m, r), and along both axes the product of that. The
// result differs from the direct sum by rounding only, by one to three times as much as that one from the exact sum. Of stride 1 go
//  - 3×3 by tiles of 4×4 or 2×2, 5×5 by tiles of 2×2,
//  - 3×1 and 1×3 by tiles of 4×1 and 1×4, 7×1 and 1×7 by tiles of 3×1 and 1×3.
//
// Every output element's arithmetic depends on its place in the layer alone: tiles are counted from the image's corner.
#ifndef KAPTION_WINOGRAD_H
#define KAPTION_WINOGRAD_H

#include "kaption_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

// The tile for a layer of this output, 0×0 where the direct sum is at least as fast: a pure function of the shape.
kaption_winograd_tile kaption_winograd_tile_of(const kaption_window *window, size_t groups, size_t height, size_t width, size_t in,
                                               size_t out);
// Floats of scratch memory that a layer takes (kaption_layer.scratch).
size_t kaption_winograd_scratch_floats(const kaption_window *window, kaption_winograd_tile tile, size_t height, size_t width, size_t in,
                                       size_t out);
// Floats that the packed weights take.
size_t kaption_winograd_packed_floats(kaption_isa isa, const kaption_window *window, kaption_winograd_tile tile, size_t out, size_t in);
// Transforms and packs w[out][taps][in] into `packed`, 64-byte aligned. `scratch` has room for out · in floats.
void kaption_winograd_pack(kaption_isa isa, const kaption_window *window, kaption_winograd_tile tile, size_t out, size_t in,
                           const float *w, float *scratch, float *packed);

#ifdef __cplusplus
}
#endif
#endif
