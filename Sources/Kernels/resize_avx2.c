#pragma clang fp contract(off)
#include "resize_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2,fma")))

// The sums of the two halves of the weights, put together, rounded and shifted down to 0...255.
AVX2 static inline __m256i join(__m256i high, __m256i low) {
    __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high, 8), low);
    sum = _mm256_add_epi32(sum, _mm256_set1_epi32(1 << (KAPTION_RESIZE_PRECISION - 1)));
    return _mm256_srai_epi32(sum, KAPTION_RESIZE_PRECISION);
}

// One group of four pixels: the lower lane takes pixels 0 and 1, the upper 2 and 3, channel beside channel, so that a
// 16-bit multiply-add sums two taps.
AVX2 static inline __m256i tap_pairs(const uint8_t *pixels) {
    const __m256i pairs = _mm256_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1,  //
                                           8, -1, 12, -1, 9, -1, 13, -1, 10, -1, 14, -1, 11, -1, 15, -1);
    __m256i four = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)pixels));
    return _mm256_shuffle_epi8(four, pairs);
}

// One target pixel of each of `rows` rows.
AVX2 static inline __attribute__((always_inline)) void across_pixel(const uint8_t *source, size_t source_stride,
                                                                    const int rows, const int16_t *weights,
                                                                    size_t groups, size_t offset,
                                                                    uint8_t *const *targets) {
    const __m256i high_lanes = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    const __m256i low_lanes = _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3);
    __m256i high[4], low[4];
    for (int r = 0; r < rows; r++) high[r] = low[r] = _mm256_setzero_si256();
    for (size_t g = 0; g < groups; g++) {
        __m256i both = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(weights + 8 * g)));
        __m256i high_weights = _mm256_permutevar8x32_epi32(both, high_lanes);
        __m256i low_weights = _mm256_permutevar8x32_epi32(both, low_lanes);
        for (int r = 0; r < rows; r++) {
            __m256i taps = tap_pairs(source + (size_t)r * source_stride + 16 * g);
            high[r] = _mm256_add_epi32(high[r], _mm256_madd_epi16(taps, high_weights));
            low[r] = _mm256_add_epi32(low[r], _mm256_madd_epi16(taps, low_weights));
        }
    }
    for (int r = 0; r < rows; r++) {
        // The lanes hold the sums of alternate pairs of taps; the rounding is added after they are put together.
        __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high[r], 8), low[r]);
        __m128i whole = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
        whole = _mm_add_epi32(whole, _mm_set1_epi32(1 << (KAPTION_RESIZE_PRECISION - 1)));
        whole = _mm_srai_epi32(whole, KAPTION_RESIZE_PRECISION);
        whole = _mm_packus_epi16(_mm_packus_epi32(whole, whole), whole);
        int pixel = _mm_cvtsi128_si32(whole);
        memcpy(targets[r] + offset, &pixel, 4);
    }
}

AVX2 void kaption_resize_across_avx2(const uint8_t *source, size_t source_stride, size_t rows, const int32_t *starts,
                                     const int16_t *weights, size_t groups, size_t count, uint8_t *const *targets) {
    size_t r = 0;
    for (; r + 4 <= rows; r += 4) {
        const uint8_t *row = source + r * source_stride;
        for (size_t i = 0; i < count; i++) {
            across_pixel(row + 4 * (size_t)starts[i], source_stride, 4, weights + i * groups * 8, groups, 4 * i,
                         targets + r);
        }
    }
    for (; r < rows; r++) {
        const uint8_t *row = source + r * source_stride;
        for (size_t i = 0; i < count; i++) {
            across_pixel(row + 4 * (size_t)starts[i], source_stride, 1, weights + i * groups * 8, groups, 4 * i,
                         targets + r);
        }
    }
}

// Two rows' 16 bytes from `offset` on, side by side as 16-bit pairs: bytes 0...7, then 8...15.
AVX2 static inline void row_pairs(const uint8_t *first, const uint8_t *second, size_t offset, __m256i pairs[2]) {
    __m128i a = _mm_loadu_si128((const __m128i *)(first + offset));
    __m128i b = _mm_loadu_si128((const __m128i *)(second + offset));
    pairs[0] = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b));
    pairs[1] = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(a, b));
}

AVX2 static inline int32_t weight_pair(const int16_t *weights) {
    int32_t pair;
    memcpy(&pair, weights, sizeof pair);
    return pair;
}

AVX2 size_t kaption_resize_down_avx2(const uint8_t *const *sources, const int16_t *weights, size_t pairs,
                                     size_t count, uint8_t *target) {
    size_t done = 0;
    for (; done + 32 <= count; done += 32) {
        __m256i high[4], low[4];
        for (int i = 0; i < 4; i++) high[i] = low[i] = _mm256_setzero_si256();
        for (size_t pair = 0; pair < pairs; pair++) {
            const int16_t *at = weights + pair / 2 * 8 + pair % 2 * 2;
            __m256i high_weights = _mm256_set1_epi32(weight_pair(at));
            __m256i low_weights = _mm256_set1_epi32(weight_pair(at + 4));
            __m256i taps[4];
            row_pairs(sources[2 * pair], sources[2 * pair + 1], done, taps);
            row_pairs(sources[2 * pair], sources[2 * pair + 1], done + 16, taps + 2);
            for (int i = 0; i < 4; i++) {
                high[i] = _mm256_add_epi32(high[i], _mm256_madd_epi16(taps[i], high_weights));
                low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(taps[i], low_weights));
            }
        }
        // Packing works within lanes; the permutation puts the groups of four bytes back in order.
        __m256i first = _mm256_packus_epi32(join(high[0], low[0]), join(high[1], low[1]));
        __m256i second = _mm256_packus_epi32(join(high[2], low[2]), join(high[3], low[3]));
        __m256i bytes = _mm256_packus_epi16(first, second);
        bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
        _mm256_storeu_si256((__m256i *)(target + done), bytes);
    }
    return done;
}

// Each of the values twice, for two pixels; the fourth is what makes (0 − 0) ÷ 1 of a pixel's fourth float.
AVX2 static inline __m256 channels_twice(const float values[3], float fourth) {
    const __m128 four = _mm_setr_ps(values[0], values[1], values[2], fourth);
    return _mm256_set_m128(four, four);
}

AVX2 void kaption_normalise_row_avx2(const uint8_t *pixels, size_t count, const kaption_normalisation *by, float *target,
                                     size_t step) {
    const __m256 means = channels_twice(by->mean, 0), deviations = channels_twice(by->deviation, 1);
    const __m256 reciprocals = channels_twice(by->reciprocal, 1);
    const char first = (char)by->order[0], second = (char)by->order[1], third = (char)by->order[2];
    const __m128i channels = _mm_setr_epi8(first, second, third, -1, (char)(first + 4), (char)(second + 4), (char)(third + 4), -1,
                                           -1, -1, -1, -1, -1, -1, -1, -1);
    for (size_t i = 0; i < count; i += 2) {
        uint64_t two = 0;
        if (i + 1 < count) memcpy(&two, pixels + 4 * i, 8);
        else memcpy(&two, pixels + 4 * i, 4);
        const __m128i bytes = _mm_shuffle_epi8(_mm_cvtsi64_si128((int64_t)two), channels);
        const __m256 values = _mm256_sub_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)), means);
        const __m256 quotients = _mm256_mul_ps(values, reciprocals);
        const __m256 remainders = _mm256_fnmadd_ps(quotients, deviations, values);
        const __m256 corrected = _mm256_fmadd_ps(remainders, reciprocals, quotients);
        _mm_storeu_ps(target + i * step, _mm256_castps256_ps128(corrected));
        if (i + 1 < count) _mm_storeu_ps(target + (i + 1) * step, _mm256_extractf128_ps(corrected, 1));
    }
}
#endif
