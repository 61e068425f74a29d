// The training kernels written once over vectors of VECTOR_WIDTH floats; training_avx2.c and training_avx512.c include it
// after defining VECTOR_WIDTH and VECTOR_FUNCTION (the attributes that name the instruction set).
#include "training_tables.h"
#include "vector_math.h"

// Calls body(j, count) for whole vectors, then for what is left.
#define FOR_LANES(size, body)                                                        \
    do {                                                                             \
        size_t j = 0;                                                                \
        for (; j + VECTOR_WIDTH <= (size); j += VECTOR_WIDTH) body(j, VECTOR_WIDTH); \
        if (j < (size)) body(j, (size) - j);                                         \
    } while (0)

// ---- LSTM -------------------------------------------------------------------------------------------------------
VECTOR_INLINE floats gate_sum(size_t at, size_t count, const float *input, const float *bias, const float *gates) {
    return loaded(gates + at, count, 0.0f) + (loaded(input + at, count, 0.0f) + loaded(bias + at, count, 0.0f));
}

VECTOR_FUNCTION static void lstm_forward(size_t size, const float *input, const float *bias, float *gates,
                                         const float *before, float *cell, float *hidden) {
#define LANES(j, count)                                                                                       \
    do {                                                                                                      \
        floats entering = sigmoid(gate_sum((j), (count), input, bias, gates));                                \
        floats kept = sigmoid(gate_sum(size + (j), (count), input, bias, gates));                             \
        floats candidate = hyperbolic_tangent(gate_sum(2 * size + (j), (count), input, bias, gates));         \
        floats leaving = sigmoid(gate_sum(3 * size + (j), (count), input, bias, gates));                      \
        floats old = before == NULL ? repeated(0.0f) : loaded(before + (j), (count), 0.0f);                   \
        floats next = multiply_add(kept, old, entering * candidate);                                          \
        stored(entering, gates + (j), (count));                                                               \
        stored(kept, gates + size + (j), (count));                                                            \
        stored(candidate, gates + 2 * size + (j), (count));                                                   \
        stored(leaving, gates + 3 * size + (j), (count));                                                     \
        stored(next, cell + (j), (count));                                                                    \
        stored(leaving * hyperbolic_tangent(next), hidden + (j), (count));                                    \
    } while (0)
    FOR_LANES(size, LANES);
#undef LANES
}

VECTOR_FUNCTION static void lstm_backward(size_t size, float *gates, const float *before, const float *cell,
                                          const float *hidden_gradient, float *cell_gradient) {
#define LANES(j, count)                                                                                       \
    do {                                                                                                      \
        floats entering = loaded(gates + (j), (count), 0.0f);                                                 \
        floats kept = loaded(gates + size + (j), (count), 0.0f);                                              \
        floats candidate = loaded(gates + 2 * size + (j), (count), 0.0f);                                     \
        floats leaving = loaded(gates + 3 * size + (j), (count), 0.0f);                                       \
        floats squashed = hyperbolic_tangent(loaded(cell + (j), (count), 0.0f));                              \
        floats old = before == NULL ? repeated(0.0f) : loaded(before + (j), (count), 0.0f);                   \
        floats by_hidden = loaded(hidden_gradient + (j), (count), 0.0f);                                      \
        floats by_cell =                                                                                      \
            loaded(cell_gradient + (j), (count), 0.0f) + by_hidden * leaving * (1.0f - squashed * squashed);  \
        stored(by_cell * candidate * entering * (1.0f - entering), gates + (j), (count));                     \
        stored(by_cell * old * kept * (1.0f - kept), gates + size + (j), (count));                            \
        stored(by_cell * entering * (1.0f - candidate * candidate), gates + 2 * size + (j), (count));         \
        stored(by_hidden * squashed * leaving * (1.0f - leaving), gates + 3 * size + (j), (count));           \
        stored(by_cell * kept, cell_gradient + (j), (count));                                                 \
    } while (0)
    FOR_LANES(size, LANES);
#undef LANES
}

// ---- Softmax ----------------------------------------------------------------------------------------------------
VECTOR_INLINE float lane_sum(floats lanes) {
    float sum = 0.0f;
    for (size_t lane = 0; lane < VECTOR_WIDTH; lane++) sum += lanes[lane];
    return sum;
}

VECTOR_INLINE floats softmax_power(floats x, float largest) {
    floats difference = x - largest, scale, rest;
    exponential(difference, &scale, &rest);
    return chosen(difference < -87.0f, repeated(0.0f), multiply_add(scale, rest, scale));
}

VECTOR_FUNCTION static float softmax_loss(size_t count, float *logits, const float *bias, size_t target,
                                          float smoothing, float weight) {
    const size_t whole = count - count % VECTOR_WIDTH, left = count - whole;
    floats largest_lanes = repeated(-INFINITY), total = repeated(0.0f), sums = repeated(0.0f);
    for (size_t j = 0; j < whole; j += VECTOR_WIDTH) {
        floats x = loaded(logits + j, VECTOR_WIDTH, 0.0f) + loaded(bias + j, VECTOR_WIDTH, 0.0f);
        stored(x, logits + j, VECTOR_WIDTH);
        largest_lanes = chosen(x > largest_lanes, x, largest_lanes);
        total += x;
    }
    if (left > 0) {
        floats x = loaded(logits + whole, left, 0.0f) + loaded(bias + whole, left, 0.0f);
        stored(x, logits + whole, left);
        total += x;
        x = loaded(logits + whole, left, -INFINITY);
        largest_lanes = chosen(x > largest_lanes, x, largest_lanes);
    }
    float largest = -INFINITY;
    for (size_t lane = 0; lane < VECTOR_WIDTH; lane++) {
        largest = largest_lanes[lane] > largest ? largest_lanes[lane] : largest;
    }
    const float wanted = logits[target];
    for (size_t j = 0; j < whole; j += VECTOR_WIDTH) {
        floats power = softmax_power(loaded(logits + j, VECTOR_WIDTH, 0.0f), largest);
        stored(power, logits + j, VECTOR_WIDTH);
        sums += power;
    }
    if (left > 0) {
        floats power = softmax_power(loaded(logits + whole, left, -INFINITY), largest);
        stored(power, logits + whole, left);
        sums += power;
    }
    const float sum = lane_sum(sums), spread = smoothing / (float)count;
    const floats factor = repeated(weight / sum), shift = repeated(-weight * spread);
#define LANES(j, count) stored(multiply_add(loaded(logits + (j), (count), 0.0f), factor, shift), logits + (j), (count))
    FOR_LANES(count, LANES);
#undef LANES
    logits[target] -= weight * (1.0f - smoothing);
    return largest + logf(sum) - (1.0f - smoothing) * wanted - spread * lane_sum(total);
}

// ---- Dropout ----------------------------------------------------------------------------------------------------
VECTOR_FUNCTION static void dropout(size_t count, uint64_t key, float share, const float *from, float *to) {
    const uint32_t threshold = kaption_dropout_threshold(share);
    const float scale = 1.0f / (1.0f - share);
    bits lanes;
    for (size_t lane = 0; lane < VECTOR_WIDTH; lane++) lanes[lane] = (uint32_t)lane;
#define LANES(j, count)                                                                                       \
    do {                                                                                                      \
        bits hash = lanes + (uint32_t)(j);                                                                    \
        KAPTION_DROPOUT_HASH(hash, key);                                                                      \
        floats kept = loaded(from + (j), (count), 0.0f) * scale;                                              \
        stored(chosen((masks)(hash < threshold), repeated(0.0f), kept), to + (j), (count));                   \
    } while (0)
    FOR_LANES(count, LANES);
#undef LANES
}

// ---- Adam -------------------------------------------------------------------------------------------------------
VECTOR_FUNCTION static void adam(size_t count, const kaption_adam_step *step, const float *gradients, float *mean,
                                 float *variance, float *weights) {
    const floats towards1 = repeated(1.0f - step->beta1), towards2 = repeated(1.0f - step->beta2);
    const float scale = step->gradient_scale, beta2 = step->beta2, rate = step->rate;
    const floats inverse = repeated(step->inverse_variance), epsilon = repeated(step->epsilon);
#define LANES(j, count)                                                                                       \
    do {                                                                                                      \
        floats gradient = loaded(gradients + (j), (count), 0.0f) * scale;                                     \
        floats m = loaded(mean + (j), (count), 0.0f);                                                         \
        m = multiply_add(towards1, gradient - m, m);                                                          \
        floats v = multiply_add(towards2, gradient * gradient, loaded(variance + (j), (count), 0.0f) * beta2); \
        floats change = rate * m / multiply_add(__builtin_elementwise_sqrt(v), inverse, epsilon);             \
        stored(m, mean + (j), (count));                                                                       \
        stored(v, variance + (j), (count));                                                                   \
        stored(loaded(weights + (j), (count), 0.0f) - change, weights + (j), (count));                        \
    } while (0)
    FOR_LANES(count, LANES);
#undef LANES
}

typedef double doubles __attribute__((vector_size(8 * VECTOR_WIDTH)));

VECTOR_FUNCTION static double sum_of_squares(size_t count, const float *values) {
    doubles sums = {0};
#define LANES(j, count)                                                                                       \
    do {                                                                                                      \
        doubles x = __builtin_convertvector(loaded(values + (j), (count), 0.0f), doubles);                    \
        sums += x * x;                                                                                        \
    } while (0)
    FOR_LANES(count, LANES);
#undef LANES
    double sum = 0.0;
    for (size_t lane = 0; lane < VECTOR_WIDTH; lane++) sum += sums[lane];
    return sum;
}
