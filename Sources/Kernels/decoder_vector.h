// The decoder kernels written once over vectors of VECTOR_WIDTH floats; decoder_avx2.c and decoder_avx512.c include it
// after defining VECTOR_WIDTH and VECTOR_FUNCTION (the attributes that name the instruction set).
#include "decoder_tables.h"
#include <math.h>
#include <string.h>

typedef float floats __attribute__((vector_size(4 * VECTOR_WIDTH)));
typedef int32_t masks __attribute__((vector_size(4 * VECTOR_WIDTH)));
typedef uint32_t bits __attribute__((vector_size(4 * VECTOR_WIDTH)));

#define VECTOR_INLINE VECTOR_FUNCTION static inline __attribute__((always_inline))

VECTOR_INLINE floats repeated(float x) { return (floats){0} + x; }

VECTOR_INLINE floats multiply_add(floats a, floats b, floats c) { return __builtin_elementwise_fma(a, b, c); }

// a where the mask is set, else b. A comparison with NaN is false, so `chosen(x < limit, limit, x)` keeps a NaN.
VECTOR_INLINE floats chosen(masks mask, floats a, floats b) {
    return (floats)((mask & (masks)a) | (~mask & (masks)b));
}

// `count` floats, and `filler` in the lanes beyond them.
VECTOR_INLINE floats loaded(const float *from, size_t count, float filler) {
    floats vector = repeated(filler);
    if (count >= VECTOR_WIDTH) {
        memcpy(&vector, from, sizeof vector);
    } else {
        memcpy(&vector, from, count * sizeof(float));
    }
    return vector;
}

VECTOR_INLINE void stored(floats vector, float *to, size_t count) {
    memcpy(to, &vector, count >= VECTOR_WIDTH ? sizeof vector : count * sizeof(float));
}

// ---- e^x --------------------------------------------------------------------------------------------------------
// e^x = scale · (1 + rest), scale = 2^n with n = round(x / ln 2). With |r| = |x − n·ln 2| ≤ ln 2 / 2 the series of e^r − 1 to
// its seventh power is within 6e-9. Beyond ±87 the argument is held there.
VECTOR_INLINE void exponential(floats x, floats *scale, floats *rest) {
    const float shift = 12582912.0f;  // 1.5·2²³: adding it rounds to an integer, which then stands in the low bits
    x = chosen(x < -87.0f, repeated(-87.0f), x);
    x = chosen(x > 87.0f, repeated(87.0f), x);
    floats shifted = multiply_add(x, repeated(1.44269504f), repeated(shift));
    floats n = shifted - shift;
    floats r = multiply_add(n, repeated(-0.693145752f), x);  // ln 2 in two parts; the first times n is exact
    r = multiply_add(n, repeated(-1.42860677e-6f), r);
    floats series = repeated(1.0f / 5040);
    series = multiply_add(series, r, repeated(1.0f / 720));
    series = multiply_add(series, r, repeated(1.0f / 120));
    series = multiply_add(series, r, repeated(1.0f / 24));
    series = multiply_add(series, r, repeated(1.0f / 6));
    series = multiply_add(series, r, repeated(0.5f));
    *rest = multiply_add(r * r, series, r);
    *scale = (floats)(((bits)shifted << 23) + 0x3f800000u);
}

VECTOR_INLINE floats sigmoid(floats x) {
    floats scale, rest;
    exponential(-x, &scale, &rest);
    return 1.0f / (1.0f + multiply_add(scale, rest, scale));
}

// (e^2x − 1) / (e^2x + 1); e^2x − 1 is taken without cancellation, so small arguments keep their precision.
VECTOR_INLINE floats hyperbolic_tangent(floats x) {
    floats scale, rest;
    exponential(x + x, &scale, &rest);
    floats less_one = multiply_add(scale, rest, scale - 1.0f);
    return less_one / (less_one + 2.0f);
}

// ---- LSTM -------------------------------------------------------------------------------------------------------
VECTOR_INLINE floats gate(size_t size, size_t index, size_t j, size_t count, const float *input,
                          const float *recurrent) {
    floats sum = loaded(input + index * size + j, count, 0.0f);
    return recurrent == NULL ? sum : sum + loaded(recurrent + index * size + j, count, 0.0f);
}

VECTOR_INLINE void lstm_lanes(size_t size, size_t j, size_t count, const float *input, const float *recurrent,
                              float *cell, float *hidden) {
    floats entering = sigmoid(gate(size, 0, j, count, input, recurrent)) *
                      hyperbolic_tangent(gate(size, 2, j, count, input, recurrent));
    floats kept = sigmoid(gate(size, 1, j, count, input, recurrent));
    floats next = multiply_add(kept, loaded(cell + j, count, 0.0f), entering);
    stored(next, cell + j, count);
    stored(sigmoid(gate(size, 3, j, count, input, recurrent)) * hyperbolic_tangent(next), hidden + j, count);
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
VECTOR_INLINE floats exponential_of_difference(floats x, float largest) {
    floats difference = x - largest, scale, rest;
    exponential(difference, &scale, &rest);
    return chosen(difference < -87.0f, repeated(0.0f), multiply_add(scale, rest, scale));
}

VECTOR_FUNCTION static float log_sum_exp(size_t count, const float *values) {
    const size_t whole = count - count % VECTOR_WIDTH;
    floats largest_lanes = loaded(values + whole, count - whole, -INFINITY);
    for (size_t i = 0; i < whole; i += VECTOR_WIDTH) {
        floats x = loaded(values + i, VECTOR_WIDTH, 0.0f);
        largest_lanes = chosen(x > largest_lanes, x, largest_lanes);
    }
    float largest = -INFINITY;
    for (size_t lane = 0; lane < VECTOR_WIDTH; lane++) {
        largest = largest_lanes[lane] > largest ? largest_lanes[lane] : largest;
    }
    floats sums = exponential_of_difference(loaded(values + whole, count - whole, -INFINITY), largest);
    for (size_t i = 0; i < whole; i += VECTOR_WIDTH) {
        sums += exponential_of_difference(loaded(values + i, VECTOR_WIDTH, 0.0f), largest);
    }
    float sum = 0.0f;
    for (size_t lane = 0; lane < VECTOR_WIDTH; lane++) sum += sums[lane];
    return largest + logf(sum);
}

VECTOR_FUNCTION static size_t keep_best(size_t words, const float *logits, float normaliser, float base,
                                        uint32_t beam, size_t capacity, size_t kept, kaption_continuation *best) {
    float threshold = kept < capacity ? -INFINITY : best[capacity - 1].log_probability;
    for (size_t word = 0; word < words; word += VECTOR_WIDTH) {
        floats log_probabilities = base + (loaded(logits + word, words - word, -INFINITY) - normaliser);
        if (__builtin_reduce_or(log_probabilities > threshold) == 0) continue;
        for (size_t lane = 0; lane < VECTOR_WIDTH; lane++) {
            float log_probability = log_probabilities[lane];
            if (!(log_probability > threshold)) continue;
            kaption_continuation entry = {log_probability, beam, (uint32_t)(word + lane)};
            kept = kaption_insert_continuation(entry, capacity, kept, best);
            threshold = kept < capacity ? -INFINITY : best[capacity - 1].log_probability;
        }
    }
    return kept;
}
