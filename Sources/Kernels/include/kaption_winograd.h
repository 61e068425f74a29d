// Convolution of 3×3, stride 1, by Winograd's minimal filtering F(m×m, 3×3) with m = 4 or 2 (Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", CVPR 2016, section 4): (m + 2)² products over tiles of m×m outputs in place of 9·m². The result differs
// from the direct sum by rounding only, about as much as that one from the exact sum.
//
// Every output element's arithmetic depends on its place in the layer alone: tiles are counted from the image's corner.
#ifndef KAPTION_WINOGRAD_H
#define KAPTION_WINOGRAD_H

#include "kaption_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

// m for a layer, or 0 where the direct sum is at least as fast: a pure function of the shape.
size_t kaption_winograd_outputs(const kaption_window *window, size_t groups, size_t height, size_t width, size_t in,
                                size_t out);
// Floats of scratch memory that a layer takes (kaption_layer.scratch).
size_t kaption_winograd_scratch_floats(size_t outputs, size_t height, size_t width, size_t in, size_t out);
// Floats that the packed weights take.
size_t kaption_winograd_packed_floats(kaption_isa isa, size_t outputs, size_t out, size_t in);
// Transforms and packs w[out][9][in] into `packed`, 64-byte aligned. `scratch` has room for out · in floats.
void kaption_winograd_pack(kaption_isa isa, size_t outputs, size_t out, size_t in, const float *w, float *scratch,
                           float *packed);

#ifdef __cplusplus
}
#endif
#endif
