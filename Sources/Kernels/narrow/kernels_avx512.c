#pragma clang fp contract(off)
#if defined(__x86_64__)
#include <immintrin.h>

#include "narrow.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#include "../simd/vector_avx512.h"
#include "../simd/activation.h"
#include "elements_avx512.h"
#include "tail.h"
#include "finish.h"

#define NARROW_TILES_8_3
#define WIDENED_TILE 8
#define WIDENED_PANEL 3
#include "widened.h"
INLINE integers int8_input(integers dword, int part) {
    return part == 0 ? _mm512_and_si512(dword, _mm512_set1_epi32(0x00ff00ff)) : _mm512_srli_epi16(dword, 8);
}
INLINE integers bf16_input(integers dword, int part) {
    return part == 0 ? _mm512_slli_epi32(dword, 16) : _mm512_and_si512(dword, _mm512_set1_epi32((int)0xffff0000));
}
INLINE bf16_sums bf16_multiply(bf16_sums sum, integers x, integers w) {
    return _mm512_fmadd_ps(_mm512_castsi512_ps(x), _mm512_castsi512_ps(w), sum);
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
#include "pointwise.h"
#define NARROW_TABLE narrow_table_avx512
#define NARROW_DEPTHWISE depthwise_narrow
#define NARROW_DEPTHWISE_PACKING NARROW_TAPS
#include "table.h"
#pragma clang attribute pop
#endif
