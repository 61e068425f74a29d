// The decoder kernels written once over vectors of VECTOR_WIDTH floats; decoder_avx2.c and decoder_avx512.c include it
// after defining VECTOR_WIDTH and VECTOR_FUNCTION (the attributes that name the instruction set).
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
