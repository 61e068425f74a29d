// Activations of a vector, and the loops that apply a tail to what is already in memory.

INLINE vector clipped(vector x, vector low, vector high) { return lesser(high, greater(low, x)); }

// e^x, about 1 ulp: x = n·ln 2 + r with |r| ≤ ln 2 / 2 (ln 2 in two parts, Cody and Waite), and 1 + r + a polynomial whose relative error is the
// least, ±5e-9. Held at e^±87 beyond.
INLINE vector exponential(vector x) {
    x = clipped(x, repeated(-87.0f), repeated(87.0f));
    vector n = rounded(multiply(x, repeated(1.44269504f)));
    vector r = multiply_add(n, repeated(-0.693145752f), x);
    r = multiply_add(n, repeated(-1.42860677e-6f), r);
    vector sum = repeated(0.0013814467f);
    sum = multiply_add(sum, r, repeated(0.008368781f));
    sum = multiply_add(sum, r, repeated(0.041668393f));
    sum = multiply_add(sum, r, repeated(0.1666652f));
    sum = multiply_add(sum, r, repeated(0.49999994f));
    sum = multiply_add(sum, r, repeated(1.0f));
    sum = multiply_add(sum, r, repeated(1.0f));
    return scaled(sum, n);
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
        return multiply(x, reciprocal(one_and_exponential_of_negated(x)));
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
