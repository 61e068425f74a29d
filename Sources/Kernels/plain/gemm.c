#pragma clang fp contract(off)
#include <math.h>
#include <string.h>

#include "plain.h"

size_t kaption_plain_packed_floats(size_t n, size_t k) { return kaption_round_up(n * k); }

void kaption_plain_pack(size_t n, size_t k, const float *w, size_t ldw, float *packed) {
    for (size_t j = 0; j < n; j++) memcpy(packed + j * k, w + j * ldw, k * sizeof(float));
}

void kaption_plain_gemm(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed,
                        const float *bias, int accumulate, float *c, size_t ldc) {
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            float sum = accumulate ? c[i * ldc + j] : 0.0f;
            for (size_t p = 0; p < k; p++) sum = fmaf(a[i * lda + p], packed[j * k + p], sum);
            c[i * ldc + j] = bias == NULL ? sum : sum + bias[j];
        }
    }
}
