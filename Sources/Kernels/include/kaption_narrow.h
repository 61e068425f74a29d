// Narrow layers: tensors of 8-bit integers or bfloat16 (kaption_numbers) in place of floats.
//
//  - KAPTION_UINT8: activations are unsigned with a zero point, which is what padding reads; weights are signed, ±127, with a scale
//    for each output channel (Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
//    Inference", 2018, sections 2.1 and 2.3, but scaled back in single precision). Sums are exact 32-bit integers, and all that
//    follows them is the same sequence of IEEE operations in every table, so every instruction set gives the same bits.
//  - KAPTION_BFLOAT16: operands are bfloat16, rounded to nearest even; sums, tails and whatever is not a product are floats. Bits
//    depend on the instruction set.
#ifndef KAPTION_NARROW_H
#define KAPTION_NARROW_H

#include "kaption_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

// The most input elements that one sum of a KAPTION_UINT8 layer may have: 255 · 127 · this fits 32 bits.
#define KAPTION_UINT8_SUM_LIMIT 65536

static inline size_t kaption_element_bytes(kaption_element element) {
    return element == KAPTION_FLOAT32 ? 4 : element == KAPTION_BFLOAT16 ? 2 : 1;
}

// Runs a layer of which an input or the output is narrow. All operations take any mixture of numbers, but KAPTION_CONVOLUTION and
// KAPTION_DEPTHWISE need a narrow input; KAPTION_COPY and KAPTION_GATHER_CHANNELS the same numbers on
// both sides. KAPTION_CONVERT of an image (pixels of four floats) to the same stride writes zeros behind the channels.
void kaption_narrow_run(kaption_isa isa, const kaption_layer *layer);

// The constants of a convolution, depthwise or not, with a narrow input: weights, bias and what the numbers of input, residual and output
// make of them. `layer` has everything but data and constants. Floats that they take, a multiple of 16.
size_t kaption_narrow_packed_floats(kaption_isa isa, const kaption_layer *layer);
// Packs w[out][taps][in / groups] and bias[out] (NULL: none) into `packed`, 64-byte aligned: the layer's `weights`; its `bias` is not
// read. Returns 0 where a constant is not finite.
int kaption_narrow_pack(kaption_isa isa, const kaption_layer *layer, const float *w, const float *bias, float *packed);

// Floats of scratch memory (kaption_layer.scratch) that a layer takes.
size_t kaption_narrow_scratch_floats(kaption_isa isa, const kaption_layer *layer);

// What the weights of one filter are as 8-bit integers, in floats again.
void kaption_narrow_rounded_weights(size_t count, const float *w, float *rounded);

// ---- Products of rows that are not an image: a decoder's ---------------------------------------------------------------------
// Elements from one narrow row to the next.
static inline size_t kaption_narrow_row_stride(size_t k) { return (k + 15) / 16 * 16; }

// Writes rows a[m×k] as `element`: bfloat16, or 8-bit integers around 128 with a scale for each row, its greatest magnitude ÷ 127, in
// `scales[m]`. `rows` holds m · kaption_narrow_row_stride(k) elements. A row that is not finite gets a scale that is not.
void kaption_narrow_rows(kaption_isa isa, kaption_element element, size_t m, size_t k, const float *a, size_t lda,
                         void *rows, float *scales);
// Floats that W[n×k] takes, packed for products of such rows.
size_t kaption_narrow_gemm_packed_floats(kaption_isa isa, kaption_element element, size_t n, size_t k);
int kaption_narrow_gemm_pack(kaption_isa isa, kaption_element element, size_t n, size_t k, const float *w,
                             const float *bias, float *packed);
// c[m×n] = rows · Wᵀ + bias in floats. The bits of a row do not depend on the others.
void kaption_narrow_gemm(kaption_isa isa, kaption_element element, size_t m, size_t n, size_t k, const void *rows,
                         const float *scales, const float *packed, float *c, size_t ldc);

#ifdef __cplusplus
}
#endif
#endif
