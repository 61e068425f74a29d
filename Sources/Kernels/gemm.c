#pragma clang fp contract(off)
#include "table.h"

size_t kaption_gemm_packed_bytes(kaption_isa isa, size_t n, size_t k) {
    return kaption_table_of(isa)->gemm_packed_floats(n, k) * sizeof(float);
}

void kaption_gemm_pack(kaption_isa isa, size_t n, size_t k, const float *w, size_t ldw, float *packed) {
    kaption_table_of(isa)->gemm_pack(n, k, w, ldw, packed);
}

void kaption_gemm(kaption_isa isa, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed,
                  const float *bias, int accumulate, float *c, size_t ldc) {
    kaption_table_of(isa)->gemm(m, n, k, a, lda, packed, bias, accumulate, c, ldc);
}
