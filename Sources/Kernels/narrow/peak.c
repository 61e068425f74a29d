#pragma clang fp contract(off)
#include "kaption_peak.h"

#if defined(__x86_64__)
#include <immintrin.h>

// As in peak.c: enough sums that the latency of none is waited for, and empty assembly that keeps each in its register.
#define ROUNDS(type, operations, count, initial, dot)                            \
    type sums[count];                                                            \
    const type factor = initial;                                                 \
    for (int i = 0; i < count; i++) sums[i] = factor;                            \
    for (uint64_t round = 0; round < rounds; round++) {                          \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < count; i++) {     \
            sums[i] = dot;                                                       \
            __asm__ volatile("" : "+v"(sums[i]));                                \
        }                                                                        \
    }                                                                            \
    return rounds * count * operations;

__attribute__((target("avx512f,avx512vnni"))) static uint64_t bytes_vnni(uint64_t rounds) {
    ROUNDS(__m512i, 128, 24, _mm512_set1_epi32(0x01010101), _mm512_dpbusd_epi32(sums[i], factor, factor))
}
__attribute__((target("avx512f,avx512bf16"))) static uint64_t bfloat16_native(uint64_t rounds) {
    ROUNDS(__m512, 64, 24, _mm512_set1_ps(0.0f), _mm512_dpbf16_ps(sums[i], (__m512bh)factor, (__m512bh)factor))
}
__attribute__((target("avx512f,avx512bw"))) static uint64_t bytes_avx512(uint64_t rounds) {
    ROUNDS(__m512i, 64, 24, _mm512_set1_epi32(0x00010001),
           _mm512_add_epi32(sums[i], _mm512_madd_epi16(sums[i], factor)))
}
__attribute__((target("avx2"))) static uint64_t bytes_avx2(uint64_t rounds) {
    ROUNDS(__m256i, 32, 12, _mm256_set1_epi32(0x00010001),
           _mm256_add_epi32(sums[i], _mm256_madd_epi16(sums[i], factor)))
}

#pragma clang attribute push(__attribute__((target("amx-tile"))), apply_to = function)
#include "amx_tiles.h"
#pragma clang attribute pop

// Tiles of 16×16 sums, two of 16 rows and two of 16 columns.
#define TILE_ROUNDS(operations, dot)                     \
    configure_tiles(TILE, TILE, TILE);                   \
    for (uint64_t round = 0; round < rounds; round++) {  \
        dot(0, 4, 6);                                    \
        dot(1, 4, 7);                                    \
        dot(2, 5, 6);                                    \
        dot(3, 5, 7);                                    \
    }                                                    \
    _tile_release();                                     \
    return rounds * 4 * (operations);

__attribute__((target("amx-tile,amx-int8"))) static uint64_t bytes_amx(uint64_t rounds) {
    TILE_ROUNDS(16 * 16 * 128, _tile_dpbusd)
}
__attribute__((target("amx-tile,amx-bf16"))) static uint64_t bfloat16_amx(uint64_t rounds) {
    TILE_ROUNDS(16 * 16 * 64, _tile_dpbf16ps)
}
#endif

uint64_t kaption_peak_run_narrow(kaption_isa isa, kaption_element element, uint64_t rounds) {
#if defined(__x86_64__)
    const int is_bytes = element == KAPTION_UINT8;
    if (element != KAPTION_FLOAT32 && isa >= KAPTION_ISA_AMX) return is_bytes ? bytes_amx(rounds) : bfloat16_amx(rounds);
    if (element != KAPTION_FLOAT32 && isa >= KAPTION_ISA_AVX512_VNNI)
        return is_bytes ? bytes_vnni(rounds) : bfloat16_native(rounds);
    if (is_bytes && isa == KAPTION_ISA_AVX512) return bytes_avx512(rounds);
    if (is_bytes && isa == KAPTION_ISA_AVX2) return bytes_avx2(rounds);
#endif
    return kaption_peak_run(isa, rounds);
}
