// Activations of a vector, and the loops that apply a tail to what is already in memory.

INLINE vector clipped(vector x, vector low, vector high) { return lesser(high, greater(low, x)); }

// e^x, about 1 ulp: x = n/16·ln 2 + r with |r| ≤ ln 2 / 32 (the unit in two parts, Cody and Waite), 2^(n/16) from a table, and for e^r a polynomial
// whose relative error is the least, ±2e-9. Adding 1.5·2²³ rounds to an integer, which then stands in the low bits. Held at e^±87 beyond.
INLINE vector exponential(vector x) {
    const vector shift = repeated(12582912.0f);
    x = clipped(x, repeated(-87.0f), repeated(87.0f));
    vector shifted = multiply_add(x, repeated(23.0831203f), shift);
    vector n = subtract(shifted, shift);
    vector r = multiply_add(n, repeated(-0.0433217f), x);
    r = multiply_add(n, repeated(1.1904089e-10f), r);
    vector rest = multiply_add(multiply_add(repeated(0.16667038f), r, repeated(0.5000165f)), multiply(r, r), r);
    vector power = sixteenth_power_of_two(shifted);
    return multiply_add(power, rest, power);
}

INLINE vector one_and_exponential_of_negated(vector x) { return add(repeated(1.0f), exponential(negated(x))); }

// erf x within 2e-7: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
INLINE vector error_function(vector x) {
    vector size = magnitude(x);
    vector t = divide(repeated(1.0f), multiply_add(size, repeated(0.3275911f), repeated(1.0f)));
    vector sum = repeated(1.061405429f);
    sum = multiply_add(sum, t, repeated(-1.453152027f));
    sum = multiply_add(sum, t, repeated(1.421413741f));
    sum = multiply_add(sum, t, repeated(-0.284496736f));
    sum = multiply_add(sum, t, repeated(0.254829592f));
    vector tail = multiply(multiply(sum, t), exponential(negated(multiply(x, x))));
    return with_sign_of(add(repeated(1.0f), negated(tail)), x);
}

INLINE vector activated(const kaption_activation *activation, vector x) {
    const vector nought = zero(), one = repeated(1.0f);
    switch (activation->kind) {
    case KAPTION_CLIP:
        return clipped(x, repeated(activation->alpha), repeated(activation->beta));
    case KAPTION_SIGMOID:
        return divide(one, one_and_exponential_of_negated(x));
    case KAPTION_HARD_SIGMOID:
        return clipped(multiply_add(repeated(activation->alpha), x, repeated(activation->beta)), nought, one);
    case KAPTION_HARD_SWISH:
        return multiply(x, clipped(multiply_add(x, repeated(1.0f / 6.0f), repeated(0.5f)), nought, one));
    case KAPTION_SILU:
        return divide(x, one_and_exponential_of_negated(x));
    case KAPTION_GELU:
        return multiply(multiply(repeated(0.5f), x), add(one, error_function(multiply(x, repeated(0.70710678f)))));
    default:
        return x;
    }
}

// Whether the activation is cheap enough to be done on the sums in registers, as a clip.
INLINE int is_clip(const kaption_activation *activation) {
    return activation->kind == KAPTION_LINEAR || activation->kind == KAPTION_CLIP;
}
INLINE vector clip_low(const kaption_activation *activation) {
    return repeated(activation->kind == KAPTION_CLIP ? activation->alpha : -INFINITY);
}
INLINE vector clip_high(const kaption_activation *activation) {
    return repeated(activation->kind == KAPTION_CLIP ? activation->beta : INFINITY);
}

INLINE void activate_rows_as(const kaption_activation activation, float *data, size_t rows, size_t count, size_t stride) {
    const lane_mask last = first_lanes(count % LANES);
    for (size_t i = 0; i < rows; i++, data += stride) {
        size_t j = 0;
        for (; j + LANES <= count; j += LANES) store(data + j, activated(&activation, load(data + j)));
        if (j < count) store_first(last, data + j, activated(&activation, load_first(last, data + j)));
    }
}

// Applies the activation to `rows` rows of `count` floats, in place.
static __attribute__((unused)) void activate_rows(const kaption_activation *activation, float *data, size_t rows, size_t count, size_t stride) {
    // The one that encoders are full of has a loop of its own.
    if (activation->kind == KAPTION_SILU) activate_rows_as((kaption_activation){KAPTION_SILU, 0.0f, 0.0f}, data, rows, count, stride);
    else activate_rows_as(*activation, data, rows, count, stride);
}
