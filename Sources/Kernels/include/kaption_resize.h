// Kernels of the antialiased resize: Pillow's arithmetic (8-bit samples, weights of 22 fractional bits, a rounding to
// 8 bits after each pass), which is exact in integers, so that every instruction set gives the same bits.
//
// Pixels are four bytes: R, G, B and one that is carried along and means nothing.
#ifndef KAPTION_RESIZE_H
#define KAPTION_RESIZE_H

#include <stddef.h>
#include <stdint.h>

#include "kaption_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

// A weight w in 0...2^22 is kept as w = 256 × high + low, so that both halves fit a 16-bit multiplication.
#define KAPTION_RESIZE_PRECISION 22
// Weights of a row of taps come in groups of four: high[4], low[4]; the last group is filled with zeros.
#define KAPTION_RESIZE_GROUP 4
// Pixels that may be read at a time.
#define KAPTION_RESIZE_WINDOW 16

// Across: target pixel i of a row is the weighted mean of the source pixels from starts[i] on, with the weights
// weights[i * groups * 8 ...]. Source rows must be readable, with any content, to 4 × (groups − 1) + KAPTION_RESIZE_WINDOW pixels
// past the last start.
// rows ≤ 8; row r begins at source + r * source_stride, and its target at targets[r] (4 × count bytes).
void kaption_resize_across(kaption_isa isa, const uint8_t *source, size_t source_stride, size_t rows,
                           const int32_t *starts, const int16_t *weights, size_t groups, size_t count,
                           uint8_t *const *targets);

// Down: target byte i is the weighted mean of bytes i of 2 × pairs source rows, with the first weights of a run.
// A row whose weight is zero is read too. `count` is in bytes.
void kaption_resize_down(kaption_isa isa, const uint8_t *const *sources, const int16_t *weights, size_t pairs,
                         size_t count, uint8_t *target);

// target[i * step + c] = (pixels[4 * i + order[c]] − mean[c]) ÷ std[c] for c in 0..<3, and 0 for the others of the
// `pixel_stride` ≥ 3 floats of a pixel. order is {0, 1, 2} for RGB, {2, 1, 0} for BGR. `step` counts floats. Division is by the
// rounded reciprocal and one correction, q = x × r, q + r × (x − q × std), which rounds as a division does (Markstein, "Computation of elementary functions on
// the IBM RISC System/6000 processor", 1990); the tests look at every byte.
void kaption_normalise_row(kaption_isa isa, const uint8_t *pixels, size_t count, const uint8_t order[3],
                           const float mean[3], const float std[3], float *target, size_t step, size_t pixel_stride);

#ifdef __cplusplus
}
#endif
#endif
