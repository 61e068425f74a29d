#pragma clang fp contract(off)
#if defined(__x86_64__)
#include <immintrin.h>

#include "narrow.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,avx2,fma"))), apply_to = function)
#include "../simd/vector_avx512.h"
#include "../simd/activation.h"
#define NARROW_HAS_BFLOAT16
#define NARROW_HAS_DOTS
#include "elements_avx512.h"
#include "tail.h"
#include "finish.h"
#include "byte_halves.h"

#define NARROW_TILES_8_3
#define NARROW_HALF_TILES
enum { int8_IS_INTEGER = 1, int8_TILE = 8, int8_PANEL = 3, int8_PARTS = 1 };
typedef integers int8_sums;
static uint32_t int8_expand(uint32_t dword, size_t part) {
    (void)part;
    return dword;
}
INLINE int8_sums int8_start(const int32_t *start, const float *offset) {
    (void)offset;
    return load_integers(start);
}
INLINE void int8_store(uint32_t *to, int8_sums x) { store_integers(to, x); }
INLINE integers int8_input(integers dword, int part) {
    (void)part;
    return dword;
}
INLINE int8_sums int8_multiply(int8_sums sum, integers x, integers w) { return add_dot_products(sum, x, w, 0); }
INLINE int8_sums int8_multiply_half(int8_sums sum, integers x, integers w) { return add_dot_products(sum, x, w, 1); }

enum { bf16_IS_INTEGER = 0, bf16_TILE = 8, bf16_PANEL = 3, bf16_PARTS = 1 };
typedef vector bf16_sums;
static uint32_t bf16_expand(uint32_t dword, size_t part) {
    (void)part;
    return dword;
}
INLINE bf16_sums bf16_start(const int32_t *start, const float *offset) {
    (void)start;
    return offset == NULL ? zero() : load(offset);
}
INLINE void bf16_store(uint32_t *to, bf16_sums x) { store((float *)(void *)to, x); }
INLINE integers bf16_input(integers dword, int part) {
    (void)part;
    return dword;
}
INLINE bf16_sums bf16_multiply(bf16_sums sum, integers x, integers w) {
    return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)w);
}
INLINE bf16_sums bf16_multiply_half(bf16_sums sum, integers x, integers w) {
    return _mm512_castps256_ps512(_mm256_dpbf16_ps(
        _mm512_castps512_ps256(sum), (__m256bh)_mm512_castsi512_si256(x), (__m256bh)_mm512_castsi512_si256(w)));
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
#include "depthwise_bytes.h"
#include "depthwise_pairs.h"
#include "depthwise_pair_windows.h"
#include "pointwise.h"
#define NARROW_TABLE narrow_table_vnni

static void depthwise_packed(const kaption_layer *layer) {
    switch (narrow_depthwise_form_of(NARROW_DOTS, layer)) {
    case NARROW_PAIR_WINDOWS: depthwise_pair_windows(layer); break;
    case NARROW_PAIRS: depthwise_pairs(layer); break;
    case NARROW_ORDERED_COLUMNS: depthwise_bytes(layer); break;
    default: depthwise_narrow(layer); break;
    }
}
#define NARROW_DEPTHWISE depthwise_packed
#define NARROW_DEPTHWISE_PACKING NARROW_DOTS
#include "table.h"
#pragma clang attribute pop
#endif
