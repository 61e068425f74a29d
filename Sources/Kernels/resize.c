#pragma clang fp contract(off)
#include <math.h>

#include "resize_internal.h"

static int32_t weight(const int16_t *weights, size_t tap) {
    const int16_t *group = weights + tap / KAPTION_RESIZE_GROUP * 2 * KAPTION_RESIZE_GROUP;
    size_t lane = tap % KAPTION_RESIZE_GROUP;
    return group[lane] * 256 + group[KAPTION_RESIZE_GROUP + lane];
}

static uint8_t rounded(int32_t sum) {
    int32_t value = sum >> KAPTION_RESIZE_PRECISION;
    return (uint8_t)(value > 255 ? 255 : value);
}

static void across_plain(const uint8_t *source, size_t source_stride, size_t rows, const int32_t *starts,
                         const int16_t *weights, size_t groups, size_t count, uint8_t *const *targets) {
    size_t taps = groups * KAPTION_RESIZE_GROUP;
    for (size_t r = 0; r < rows; r++) {
        const uint8_t *row = source + r * source_stride;
        for (size_t i = 0; i < count; i++) {
            for (size_t c = 0; c < 4; c++) {
                int32_t sum = 1 << (KAPTION_RESIZE_PRECISION - 1);
                for (size_t t = 0; t < taps; t++) {
                    sum += row[4 * ((size_t)starts[i] + t) + c] * weight(weights + i * taps * 2, t);
                }
                targets[r][4 * i + c] = rounded(sum);
            }
        }
    }
}

static void down_plain(const uint8_t *const *sources, const int16_t *weights, size_t pairs, size_t first,
                       size_t count, uint8_t *target) {
    size_t taps = 2 * pairs;
    for (size_t i = first; i < count; i++) {
        int32_t sum = 1 << (KAPTION_RESIZE_PRECISION - 1);
        for (size_t t = 0; t < taps; t++) sum += sources[t][i] * weight(weights, t);
        target[i] = rounded(sum);
    }
}

static void normalise_plain(const uint8_t *pixels, size_t count, const kaption_normalisation *by, float *target, size_t step,
                            size_t pixel_stride) {
    for (size_t i = 0; i < count; i++) {
        float *pixel = target + i * step;
        for (size_t c = 0; c < 3; c++) {
            const float value = (float)pixels[4 * i + by->order[c]] - by->mean[c];
            const float quotient = value * by->reciprocal[c];
            pixel[c] = fmaf(fmaf(-quotient, by->deviation[c], value), by->reciprocal[c], quotient);
        }
        for (size_t c = 3; c < pixel_stride; c++) pixel[c] = 0;
    }
}

void kaption_resize_across(kaption_isa isa, const uint8_t *source, size_t source_stride, size_t rows,
                           const int32_t *starts, const int16_t *weights, size_t groups, size_t count,
                           uint8_t *const *targets) {
#if defined(__x86_64__)
    if (isa >= KAPTION_ISA_AVX512_VNNI) {
        kaption_resize_across_vnni(source, source_stride, rows, starts, weights, groups, count, targets);
        return;
    }
    if (isa >= KAPTION_ISA_AVX2) {
        kaption_resize_across_avx2(source, source_stride, rows, starts, weights, groups, count, targets);
        return;
    }
#endif
    (void)isa;
    across_plain(source, source_stride, rows, starts, weights, groups, count, targets);
}

void kaption_resize_down(kaption_isa isa, const uint8_t *const *sources, const int16_t *weights, size_t pairs,
                         size_t count, uint8_t *target) {
    size_t first = 0;
#if defined(__x86_64__)
    if (isa >= KAPTION_ISA_AVX512_VNNI) {
        kaption_resize_down_vnni(sources, weights, pairs, count, target);
        return;
    }
    if (isa >= KAPTION_ISA_AVX2) first = kaption_resize_down_avx2(sources, weights, pairs, count, target);
#endif
    (void)isa;
    down_plain(sources, weights, pairs, first, count, target);
}

void kaption_normalise_row(kaption_isa isa, const uint8_t *pixels, size_t count, const uint8_t order[3],
                           const float mean[3], const float std[3], float *target, size_t step, size_t pixel_stride) {
    const float reciprocal[3] = {1 / std[0], 1 / std[1], 1 / std[2]};
    const kaption_normalisation by = {.mean = mean, .deviation = std, .reciprocal = reciprocal, .order = order};
#if defined(__x86_64__)
    if (isa >= KAPTION_ISA_AVX2 && pixel_stride == 4) {
        size_t done = 0;
        if (isa >= KAPTION_ISA_AVX512_VNNI && step == 4) done = kaption_normalise_row_vnni(pixels, count, &by, target);
        kaption_normalise_row_avx2(pixels + 4 * done, count - done, &by, target + done * step, step);
        return;
    }
#endif
    (void)isa;
    normalise_plain(pixels, count, &by, target, step, pixel_stride);
}
