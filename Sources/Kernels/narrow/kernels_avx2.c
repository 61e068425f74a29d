#pragma clang fp contract(off)
#if defined(__x86_64__)
#include <immintrin.h>

#include "narrow.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "../simd/vector_avx2.h"
#include "../simd/activation.h"
#include "elements_avx2.h"
#include "tail.h"
#include "finish.h"

#define WIDENED_TILE 5
#define WIDENED_PANEL 2
#include "widened.h"
INLINE integers int8_input(integers dword, int part) {
    return part == 0 ? _mm256_and_si256(dword, _mm256_set1_epi32(0x00ff00ff)) : _mm256_srli_epi16(dword, 8);
}
INLINE integers bf16_input(integers dword, int part) {
    return part == 0 ? _mm256_slli_epi32(dword, 16) : _mm256_and_si256(dword, _mm256_set1_epi32((int)0xffff0000));
}
INLINE bf16_sums bf16_multiply(bf16_sums sum, integers x, integers w) {
    return _mm256_fmadd_ps(_mm256_castsi256_ps(x), _mm256_castsi256_ps(w), sum);
}

#include "image.h"
#define DOT(name) int8_##name
#include "product.h"
#undef DOT
#define DOT(name) bf16_##name
#include "product.h"
#undef DOT
#include "winograd_words.h"
#include "depthwise.h"
#include "depthwise_widened.h"
#include "pointwise.h"
#define NARROW_TABLE narrow_table_avx2
#define NARROW_DEPTHWISE depthwise_widened
#define NARROW_DEPTHWISE_PACKING NARROW_WIDENED
#include "table.h"
#pragma clang attribute pop
#endif
