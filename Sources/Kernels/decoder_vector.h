// The decoder kernels written once over vectors of VECTOR_WIDTH floats; decoder_avx2.c and decoder_avx512.c include it
// after defining VECTOR_WIDTH and VECTOR_FUNCTION (the attributes that name the instruction set).
#include <stdbool.h>

#include "decoder_tables.h"
#include "vector_math.h"

// ---- LSTM -------------------------------------------------------------------------------------------------------
VECTOR_INLINE floats gate(size_t size, size_t index, size_t j, size_t count, const float *input,
                          const float *recurrent) {
    floats sum = loaded(input + index * size + j, count, 0.0f);
    return recurrent == NULL ? sum : sum + loaded(recurrent + index * size + j, count, 0.0f);
}

VECTOR_INLINE void lstm_lanes(size_t size, size_t j, size_t count, const float *input, const float *recurrent,
                              float *cell, float *hidden) {
    floats entering = sigmoid_times_tangent(gate(size, 0, j, count, input, recurrent), gate(size, 2, j, count, input, recurrent));
    floats kept = sigmoid(gate(size, 1, j, count, input, recurrent));
    floats next = multiply_add(kept, loaded(cell + j, count, 0.0f), entering);
    stored(next, cell + j, count);
    stored(sigmoid_times_tangent(gate(size, 3, j, count, input, recurrent), next), hidden + j, count);
}

VECTOR_FUNCTION static void lstm_cell(size_t size, const float *input, const float *recurrent, float *cell,
                                      float *hidden) {
    size_t j = 0;
    for (; j + VECTOR_WIDTH <= size; j += VECTOR_WIDTH) {
        lstm_lanes(size, j, VECTOR_WIDTH, input, recurrent, cell, hidden);
    }
    if (j < size) lstm_lanes(size, j, size - j, input, recurrent, cell, hidden);
}

// ---- Vocabulary -------------------------------------------------------------------------------------------------
enum { SUM_VECTORS = KAPTION_SUM_LANES / VECTOR_WIDTH };

VECTOR_INLINE floats greater(floats a, floats b) { return chosen(a > b, a, b); }

VECTOR_INLINE float greatest_logit(size_t count, const float *logits) {
    floats lanes[4] = {repeated(-INFINITY), repeated(-INFINITY), repeated(-INFINITY), repeated(-INFINITY)};
    size_t i = 0;
    for (; i + 4 * VECTOR_WIDTH <= count; i += 4 * VECTOR_WIDTH)
#pragma clang loop unroll(full)
        for (size_t v = 0; v < 4; v++) lanes[v] = greater(loaded(logits + i + v * VECTOR_WIDTH, VECTOR_WIDTH, 0.0f), lanes[v]);
    for (; i < count; i += VECTOR_WIDTH) lanes[0] = greater(loaded(logits + i, count - i, -INFINITY), lanes[0]);
    return __builtin_reduce_max(greater(greater(lanes[0], lanes[1]), greater(lanes[2], lanes[3])));
}

VECTOR_INLINE floats exponential_of_difference(floats x, floats reference) {
    floats scale, rest, difference = x - reference;
    // What is held at e^−87 leaves no trace beside the greatest one's 1.
    exponential_within(chosen(difference < -87.0f, repeated(-87.0f), difference), &scale, &rest);
    return multiply_add(scale, rest, scale);
}

VECTOR_FUNCTION static float add_words(size_t count, const float *logits, kaption_word_scan *scan) {
    const float largest = greatest_logit(count, logits);
    const floats reference = repeated(kaption_raise_greatest(largest, scan));
    floats sums[SUM_VECTORS];
    memcpy(sums, scan->sums, sizeof sums);
    size_t i = 0;
    for (; i + KAPTION_SUM_LANES <= count; i += KAPTION_SUM_LANES)
#pragma clang loop unroll(full)
        for (size_t v = 0; v < SUM_VECTORS; v++)
            sums[v] += exponential_of_difference(loaded(logits + i + v * VECTOR_WIDTH, VECTOR_WIDTH, 0.0f), reference);
    for (size_t v = 0; i < count; i += VECTOR_WIDTH, v++)
        sums[v] += exponential_of_difference(loaded(logits + i, count - i, -INFINITY), reference);
    memcpy(scan->sums, sums, sizeof sums);
    return largest;
}

// A bit for each lane where the mask is set.
VECTOR_INLINE unsigned lanes_of(masks mask) {
    typedef bool lane_bits __attribute__((ext_vector_type(VECTOR_WIDTH)));
    const lane_bits lanes = __builtin_convertvector(mask, lane_bits);
    unsigned bits = 0;
    memcpy(&bits, &lanes, VECTOR_WIDTH / 8);
    return bits;
}

// What at least `capacity` of the words reach, or −∞: a lower bound of the last one to be kept, so that few words are looked at one by one.
// Of the words in a lane only the greatest counts.
VECTOR_INLINE float reached_by(size_t capacity, size_t count, const float *logits) {
    if (capacity > VECTOR_WIDTH) return -INFINITY;
    floats lanes = repeated(-INFINITY);
    for (size_t i = 0; i + VECTOR_WIDTH <= count; i += VECTOR_WIDTH)
        lanes = greater(loaded(logits + i, VECTOR_WIDTH, 0.0f), lanes);
    float reached = INFINITY;
    for (size_t i = 0; i < capacity; i++) {
        reached = __builtin_reduce_max(lanes);
        // One lane, or several that are equal: then the bound is lower than it could be.
        lanes = chosen(lanes == reached, repeated(-INFINITY), lanes);
    }
    return reached;
}

VECTOR_FUNCTION static void choose_words(size_t first, size_t count, const float *logits, kaption_word_scan *scan) {
    float threshold = kaption_scan_threshold(scan);
    // What reaches the bound is kept, what equals it too.
    const float least = scan->kept == 0 ? reached_by(scan->capacity, count, logits) : -INFINITY;
    for (size_t i = 0; i < count; i += VECTOR_WIDTH) {
        const floats values = count - i >= VECTOR_WIDTH ? loaded(logits + i, VECTOR_WIDTH, 0.0f) : loaded(logits + i, count - i, -INFINITY);
        unsigned left = lanes_of((values > threshold) & (values >= least));
        for (; left != 0; left &= left - 1) {
            const size_t word = i + (size_t)__builtin_ctz(left);
            if (!(logits[word] > threshold)) continue;
            kaption_keep_word(logits[word], (uint32_t)(first + word), scan);
            threshold = kaption_scan_threshold(scan);
        }
    }
}
