// The table of kernels of one instruction set. Private to this target.
#ifndef KAPTION_TABLE_H
#define KAPTION_TABLE_H

#include "kaption_layer.h"

// The most floats that a vector has in any table: packed rows are padded to a multiple of it.
enum { KAPTION_LANES = 16 };

static inline size_t kaption_round_up(size_t value) {
    return (value + KAPTION_LANES - 1) / KAPTION_LANES * KAPTION_LANES;
}

typedef struct {
    // Weights of convolutions, then those of kaption_gemm.
    size_t (*packed_floats)(size_t n, size_t k);
    void (*pack)(size_t n, size_t k, const float *w, size_t ldw, float *packed);
    size_t (*gemm_packed_floats)(size_t n, size_t k);
    void (*gemm_pack)(size_t n, size_t k, const float *w, size_t ldw, float *packed);
    void (*gemm)(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed, const float *bias,
                 int accumulate, float *c, size_t ldc);
    void (*layers[KAPTION_OPERATION_COUNT])(const kaption_layer *layer);
} kaption_table;

extern const kaption_table kaption_table_plain;
#if defined(__x86_64__)
extern const kaption_table kaption_table_avx2;
extern const kaption_table kaption_table_avx512;
#endif

static inline const kaption_table *kaption_table_of(kaption_isa isa) {
#if defined(__x86_64__)
    if (isa >= KAPTION_ISA_AVX512) return &kaption_table_avx512;
    if (isa == KAPTION_ISA_AVX2) return &kaption_table_avx2;
#endif
    (void)isa;
    return &kaption_table_plain;
}

// The address of output pixel (y, x), and of an input pixel.
static inline float *kaption_pixel(const kaption_tensor *tensor, size_t y, size_t x) {
    return tensor->data + (y * tensor->width + x) * tensor->stride;
}

// Kernels that move data only are the same in every table.
void kaption_copy(const kaption_layer *layer);
void kaption_gather_channels(const kaption_layer *layer);

#endif
