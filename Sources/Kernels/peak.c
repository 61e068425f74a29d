#pragma clang fp contract(off)
#include "kaption_peak.h"

#if defined(__x86_64__)
#include <immintrin.h>

// Enough sums that the latency of none is waited for: 2 units of 4 to 5 cycles. The empty assembly keeps each sum in its
// register and the loop from being folded.
#define ROUNDS(type, lanes, count, initial, multiply_add)                                       \
    type sums[count];                                                                           \
    type factor = initial;                                                                      \
    for (int i = 0; i < count; i++) sums[i] = factor;                                           \
    for (uint64_t round = 0; round < rounds; round++) {                                         \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < count; i++) {                    \
            sums[i] = multiply_add(factor, factor, sums[i]);                                    \
            __asm__ volatile("" : "+v"(sums[i]));                                               \
        }                                                                                       \
    }                                                                                           \
    return rounds * count * lanes * 2;

__attribute__((target("avx512f"))) static uint64_t peak_avx512(uint64_t rounds) {
    ROUNDS(__m512, 16, 24, _mm512_set1_ps(1e-20f), _mm512_fmadd_ps)
}

__attribute__((target("avx2,fma"))) static uint64_t peak_avx2(uint64_t rounds) {
    ROUNDS(__m256, 8, 14, _mm256_set1_ps(1e-20f), _mm256_fmadd_ps)
}
#endif

uint64_t kaption_peak_run(kaption_isa isa, uint64_t rounds) {
#if defined(__x86_64__)
    if (isa >= KAPTION_ISA_AVX512) return peak_avx512(rounds);
    if (isa == KAPTION_ISA_AVX2) return peak_avx2(rounds);
#endif
    (void)isa;
    (void)rounds;
    return 0;
}
