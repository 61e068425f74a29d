// What resize.c and the vector files share.
#ifndef KAPTION_RESIZE_INTERNAL_H
#define KAPTION_RESIZE_INTERNAL_H

#include "kaption_resize.h"

// Three values, one a channel.
typedef struct {
    const float *mean, *deviation, *reciprocal;
    const uint8_t *order;
} kaption_normalisation;

void kaption_resize_across_avx2(const uint8_t *source, size_t source_stride, size_t rows, const int32_t *starts,
                                const int16_t *weights, size_t groups, size_t count, uint8_t *const *targets);
void kaption_resize_across_vnni(const uint8_t *source, size_t source_stride, size_t rows, const int32_t *starts,
                                const int16_t *weights, size_t groups, size_t count, uint8_t *const *targets);
void kaption_resize_down_vnni(const uint8_t *const *sources, const int16_t *weights, size_t pairs, size_t count,
                              uint8_t *target);
// Returns how many of the bytes it has done: the rest is too short for a vector.
size_t kaption_resize_down_avx2(const uint8_t *const *sources, const int16_t *weights, size_t pairs, size_t count,
                                uint8_t *target);
// A pixel stride of 4 only.
void kaption_normalise_row_avx2(const uint8_t *pixels, size_t count, const kaption_normalisation *by, float *target, size_t step);
// A step and a pixel stride of 4 only. Returns how many of the pixels it has done.
size_t kaption_normalise_row_vnni(const uint8_t *pixels, size_t count, const kaption_normalisation *by, float *target);

#endif
