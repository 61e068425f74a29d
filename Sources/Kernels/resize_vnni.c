#pragma clang fp contract(off)
#include "resize_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni")))
#define INLINE VNNI static inline __attribute__((always_inline))

// A weight w in 0...2^22 as three signed bytes, w = 2^16 × d2 + 2^8 × d1 + d0, so that four taps are summed by one product of bytes a digit.
enum { DIGITS = 3, LANES = 4, MOST_ROWS = 8 };

// The digits of four weights a lane, given as high[4], low[4]; digit d fills each dword of its lane in result d.
INLINE void digits(__m512i high_low, __m512i result[DIGITS]) {
    // 32-bit weights: low in bytes 8, 10, 12, 14 of a lane, high in its first eight bytes.
    const __m512i low = _mm512_shuffle_epi8(
        high_low, _mm512_broadcast_i32x4(_mm_setr_epi8(8, -1, -1, -1, 10, -1, -1, -1, 12, -1, -1, -1, 14, -1, -1, -1)));
    const __m512i high = _mm512_shuffle_epi8(
        high_low, _mm512_broadcast_i32x4(_mm_setr_epi8(-1, 0, 1, -1, -1, 2, 3, -1, -1, 4, 5, -1, -1, 6, 7, -1)));
    // A byte from 128 on stands for itself less 256, and carries one into the next.
    const __m512i sum = _mm512_add_epi32(_mm512_or_si512(low, high), _mm512_set1_epi32(0x8080));
    const __m512i value = _mm512_xor_si512(sum, _mm512_set1_epi32(0x8080));
    for (int digit = 0; digit < DIGITS; digit++) {
        const char at = (char)(DIGITS - 1 - digit);
        const __m128i order = _mm_setr_epi8(at, at + 4, at + 8, at + 12, at, at + 4, at + 8, at + 12,  //
                                            at, at + 4, at + 8, at + 12, at, at + 4, at + 8, at + 12);
        result[digit] = _mm512_shuffle_epi8(value, _mm512_broadcast_i32x4(order));
    }
}

INLINE __m512i four_lanes(const void *a, const void *b, const void *c, const void *d) {
    __m512i lanes = _mm512_castsi128_si512(_mm_loadu_si128(a));
    lanes = _mm512_inserti32x4(lanes, _mm_loadu_si128(b), 1);
    lanes = _mm512_inserti32x4(lanes, _mm_loadu_si128(c), 2);
    return _mm512_inserti32x4(lanes, _mm_loadu_si128(d), 3);
}

INLINE void add_taps(__m512i sums[DIGITS], __m512i taps, const __m512i weights[DIGITS]) {
    for (int digit = 0; digit < DIGITS; digit++) sums[digit] = _mm512_dpbusd_epi32(sums[digit], taps, weights[digit]);
}

// A half, for rounding, is 2^5 in the upper digit.
INLINE void start(__m512i sums[DIGITS]) {
    sums[0] = _mm512_set1_epi32(1 << (KAPTION_RESIZE_PRECISION - 1 - 16));
    sums[1] = sums[2] = _mm512_setzero_si512();
}

// The digits' sums put together and shifted down.
INLINE __m512i join(const __m512i sums[DIGITS]) {
    const __m512i upper = _mm512_add_epi32(_mm512_slli_epi32(sums[0], 8), sums[1]);
    return _mm512_srai_epi32(_mm512_add_epi32(_mm512_slli_epi32(upper, 8), sums[2]), KAPTION_RESIZE_PRECISION);
}

// Where four target pixels' taps are, and what they weigh; lanes beyond the last pixel repeat the first.
typedef struct {
    int32_t starts[LANES], base;
    const int16_t *weights[LANES];
    int is_near;  // whether all lie within a window from `base` on, so that one permutation takes them from one load
} four_pixels;

static four_pixels pixels_from(const int32_t *starts, const int16_t *weights, size_t groups, size_t kept) {
    four_pixels four = {.base = INT32_MAX};
    int32_t last = 0;
    for (size_t lane = 0; lane < LANES; lane++) {
        const size_t pixel = lane < kept ? lane : 0;
        four.starts[lane] = starts[pixel];
        four.weights[lane] = weights + pixel * groups * 2 * KAPTION_RESIZE_GROUP;
        if (starts[pixel] < four.base) four.base = starts[pixel];
        if (starts[pixel] > last) last = starts[pixel];
    }
    four.is_near = last - four.base + KAPTION_RESIZE_GROUP <= KAPTION_RESIZE_WINDOW;
    return four;
}

// Four target pixels of each row, one a lane; of them the first `kept` are written.
INLINE void across_four(const uint8_t *source, size_t source_stride, const int rows, const four_pixels *four, const int is_near,
                        size_t groups, size_t kept, size_t target, uint8_t *const *targets) {
    // A lane's taps, channel by channel.
    const __m512i channels = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    const __m128i offsets = _mm_slli_epi32(
        _mm_sub_epi32(_mm_loadu_si128((const __m128i *)four->starts), _mm_set1_epi32(four->base)), 2);
    // A lane's offset in bytes, in all of its bytes.
    const __m512i lanes = _mm512_permutexvar_epi8(
        _mm512_setr_epi32(0, 0, 0, 0, 0x04040404, 0x04040404, 0x04040404, 0x04040404, 0x08080808, 0x08080808, 0x08080808,
                          0x08080808, 0x0C0C0C0C, 0x0C0C0C0C, 0x0C0C0C0C, 0x0C0C0C0C), _mm512_castsi128_si512(offsets));
    const __m512i places = _mm512_add_epi8(channels, lanes);
    __m512i sums[MOST_ROWS][DIGITS];
#pragma unroll
    for (int r = 0; r < rows; r++) start(sums[r]);
    for (size_t g = 0; g < groups; g++) {
        const size_t at = g * 2 * KAPTION_RESIZE_GROUP;
        __m512i group[DIGITS];
        digits(four_lanes(four->weights[0] + at, four->weights[1] + at, four->weights[2] + at, four->weights[3] + at), group);
#pragma unroll
        for (int r = 0; r < rows; r++) {
            const uint8_t *row = source + (size_t)r * source_stride + 16 * g;
            const __m512i taps =
                is_near ? _mm512_permutexvar_epi8(places, _mm512_loadu_si512(row + 4 * (size_t)four->base))
                        : _mm512_shuffle_epi8(
                              four_lanes(row + 4 * (size_t)four->starts[0], row + 4 * (size_t)four->starts[1],
                                         row + 4 * (size_t)four->starts[2], row + 4 * (size_t)four->starts[3]), channels);
            add_taps(sums[r], taps, group);
        }
    }
    const __mmask16 mask = (__mmask16)((1u << 4 * kept) - 1);
#pragma unroll
    for (int r = 0; r < rows; r++) {
        _mm_mask_storeu_epi8(targets[r] + 4 * target, mask, _mm512_cvtusepi32_epi8(join(sums[r])));
    }
}

VNNI void kaption_resize_across_vnni(const uint8_t *source, size_t source_stride, size_t rows, const int32_t *starts,
                                     const int16_t *weights, size_t groups, size_t count, uint8_t *const *targets) {
    for (size_t i = 0; i < count; i += LANES) {
        const size_t kept = count - i < LANES ? count - i : LANES;
        const four_pixels four = pixels_from(starts + i, weights + i * groups * 2 * KAPTION_RESIZE_GROUP, groups, kept);
        if (rows == MOST_ROWS && four.is_near) {
            across_four(source, source_stride, MOST_ROWS, &four, 1, groups, kept, i, targets);
            continue;
        }
        for (size_t r = 0; r < rows; r++)
            across_four(source + r * source_stride, source_stride, 1, &four, 0, groups, kept, i, targets + r);
    }
}

VNNI void kaption_resize_down_vnni(const uint8_t *const *sources, const int16_t *weights, size_t pairs, size_t count,
                                   uint8_t *target) {
    for (size_t done = 0; done < count; done += 64) {
        const __mmask64 mask = count - done < 64 ? (1ull << (count - done)) - 1 : ~0ull;
        __m512i sums[4][DIGITS];
        for (int part = 0; part < 4; part++) start(sums[part]);
        for (size_t pair = 0; pair < pairs; pair += 2) {
            // The last group may have two rows only.
            const __mmask64 second = pair + 1 < pairs ? mask : 0;
            const __m512i a = _mm512_maskz_loadu_epi8(mask, sources[2 * pair] + done);
            const __m512i b = _mm512_maskz_loadu_epi8(mask, sources[2 * pair + 1] + done);
            const __m512i c = second ? _mm512_maskz_loadu_epi8(second, sources[2 * pair + 2] + done) : _mm512_setzero_si512();
            const __m512i d = second ? _mm512_maskz_loadu_epi8(second, sources[2 * pair + 3] + done) : _mm512_setzero_si512();
            __m512i group[DIGITS];
            digits(_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(weights + pair * KAPTION_RESIZE_GROUP))), group);
            // Four rows' samples beside each other. Unpacking works within lanes, and so does packing below, which undoes it.
            const __m512i low_ab = _mm512_unpacklo_epi8(a, b), high_ab = _mm512_unpackhi_epi8(a, b);
            const __m512i low_cd = _mm512_unpacklo_epi8(c, d), high_cd = _mm512_unpackhi_epi8(c, d);
            add_taps(sums[0], _mm512_unpacklo_epi16(low_ab, low_cd), group);
            add_taps(sums[1], _mm512_unpackhi_epi16(low_ab, low_cd), group);
            add_taps(sums[2], _mm512_unpacklo_epi16(high_ab, high_cd), group);
            add_taps(sums[3], _mm512_unpackhi_epi16(high_ab, high_cd), group);
        }
        const __m512i first = _mm512_packus_epi32(join(sums[0]), join(sums[1]));
        const __m512i second = _mm512_packus_epi32(join(sums[2]), join(sums[3]));
        _mm512_mask_storeu_epi8(target + done, mask, _mm512_packus_epi16(first, second));
    }
}

VNNI size_t kaption_normalise_row_vnni(const uint8_t *pixels, size_t count, const kaption_normalisation *by, float *target) {
    const uint8_t *order = by->order;
    const __m512 means = _mm512_broadcast_f32x4(_mm_setr_ps(by->mean[0], by->mean[1], by->mean[2], 0));
    const __m512 deviations = _mm512_broadcast_f32x4(_mm_setr_ps(by->deviation[0], by->deviation[1], by->deviation[2], 1));
    const __m512 reciprocals = _mm512_broadcast_f32x4(_mm_setr_ps(by->reciprocal[0], by->reciprocal[1], by->reciprocal[2], 1));
    const __m128i pixel = _mm_setr_epi8((char)order[0], (char)order[1], (char)order[2], -1, (char)order[0], (char)order[1],
                                        (char)order[2], -1, (char)order[0], (char)order[1], (char)order[2], -1, (char)order[0],
                                        (char)order[1], (char)order[2], -1);
    const __m128i channels = _mm_or_si128(pixel, _mm_setr_epi32(0, 0x04040404, 0x08080808, 0x0C0C0C0C));
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const __m128i four = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(pixels + 4 * i)), channels);
        const __m512 value = _mm512_sub_ps(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(four)), means);
        const __m512 quotient = _mm512_mul_ps(value, reciprocals);
        const __m512 remainder = _mm512_fnmadd_ps(quotient, deviations, value);
        _mm512_storeu_ps(target + 4 * i, _mm512_fmadd_ps(remainder, reciprocals, quotient));
    }
    return i;
}
#endif
