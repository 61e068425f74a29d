// The plain twins: what the narrow kernels compute, step by step, with the same IEEE operations in the same order.
#pragma clang fp contract(off)
#include "narrow.h"
#include "silu.h"

#include <string.h>

#include "../simd/sixteenths.h"

static float number(kaption_element element, const uint8_t *from, size_t j) {
    if (element == KAPTION_UINT8) return from[j];
    if (element == KAPTION_BFLOAT16) return narrow_widened(((const uint16_t *)(const void *)from)[j]);
    return ((const float *)(const void *)from)[j];
}
static float value(kaption_numbers numbers, const uint8_t *from, size_t j) {
    const float x = number(numbers.element, from, j);
    return numbers.element == KAPTION_UINT8 ? (x - numbers.zero) * numbers.scale : x;
}
static void store(kaption_element element, uint8_t *to, size_t j, float x) {
    if (element == KAPTION_UINT8) to[j] = (uint8_t)rintf(x);
    else if (element == KAPTION_BFLOAT16) ((uint16_t *)(void *)to)[j] = narrow_bfloat16(x);
    else ((float *)(void *)to)[j] = x;
}

// `clipped` keeps NaN, `within` takes it for the lower bound.
static float clipped(float x, float low, float high) { return x < low ? low : x > high ? high : x; }
static float within(float x, float low, float high) {
    x = x > low ? x : low;
    return x < high ? x : high;
}

// e^x as simd/activation.h computes it, operation by operation.
static float exponential(float x) {
    const float shift = 12582912.0f;
    x = clipped(x, -87.0f, 87.0f);
    const float shifted = fmaf(x, 23.0831203f, shift), n = shifted - shift;
    float r = fmaf(n, -0.0433217f, x);
    r = fmaf(n, 1.1904089e-10f, r);
    const float rest = fmaf(fmaf(0.16667038f, r, 0.5000165f), r * r, r);
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = sixteenths_of_two[bits % 16] + (bits << 19);
    float power;
    memcpy(&power, &bits, sizeof power);
    return fmaf(power, rest, power);
}
static float error_function(float x) {
    const float t = 1.0f / fmaf(fabsf(x), 0.3275911f, 1.0f);
    float sum = 1.061405429f;
    sum = fmaf(sum, t, -1.453152027f);
    sum = fmaf(sum, t, 1.421413741f);
    sum = fmaf(sum, t, -0.284496736f);
    sum = fmaf(sum, t, 0.254829592f);
    return copysignf(1.0f + -((sum * t) * exponential(-(x * x))), x);
}
static float activated(const kaption_activation *activation, float x) {
    if (isnan(x)) return x;
    switch (activation->kind) {
    case KAPTION_CLIP:
        return clipped(x, activation->alpha, activation->beta);
    case KAPTION_SIGMOID:
        return 1.0f / (1.0f + exponential(-x));
    case KAPTION_HARD_SIGMOID:
        return clipped(fmaf(activation->alpha, x, activation->beta), 0.0f, 1.0f);
    case KAPTION_HARD_SWISH:
        return x * clipped(fmaf(x, 1.0f / 6.0f, 0.5f), 0.0f, 1.0f);
    case KAPTION_SILU:
        return x / (1.0f + exponential(-x));
    case KAPTION_GELU:
        return (0.5f * x) * (1.0f + error_function(x * 0.70710678f));
    default:
        return x;
    }
}

static void store_activated(const narrow_tail *tail, kaption_element element, uint8_t *to, size_t j, float x) {
    x = element == KAPTION_UINT8 && tail->activation.kind == KAPTION_SILU ? narrow_silu(x) : activated(&tail->activation, x);
    if (element == KAPTION_UINT8) x = within(fmaf(x, tail->factor, tail->zero), 0.0f, 255.0f);
    store(element, to, j, x);
}
static void store_finished(const narrow_tail *tail, kaption_element element, uint8_t *to, size_t j, float x) {
    if (!tail->is_folded) {
        store_activated(tail, element, to, j, x);
        return;
    }
    x = element == KAPTION_UINT8 ? within(x, tail->low, tail->high) : clipped(x, tail->low, tail->high);
    store(element, to, j, x);
}

// The input pixel of tap (i, l), or the border.
static const uint8_t *tap(const kaption_layer *layer, const narrow_constants *constants, size_t y, size_t x, size_t i, size_t l) {
    const kaption_window *window = &layer->window;
    const size_t row = y * window->stride_height + i * window->dilation_height - window->pad_top;
    const size_t column = x * window->stride_width + l * window->dilation_width - window->pad_left;
    if (row < layer->input.height && column < layer->input.width)
        return narrow_pixel(&layer->input, layer->input_numbers.element, narrow_ring_row(layer, row), column);
    return constants == NULL ? NULL : constants->border;
}

// The sum of one dword of k.
static int32_t dot_bytes(const uint8_t *a, uint32_t w) {
    int32_t sum = 0;
    for (int i = 0; i < 4; i++) sum += a[i] * (int8_t)(w >> (8 * i));
    return sum;
}
static float dot_bfloat16(const uint8_t *a, uint32_t w, float sum) {
    sum = fmaf(number(KAPTION_BFLOAT16, a, 0), narrow_widened((uint16_t)w), sum);
    return fmaf(number(KAPTION_BFLOAT16, a, 1), narrow_widened((uint16_t)(w >> 16)), sum);
}

static void convolution(const kaption_layer *layer, const float *row_scales) {
    const kaption_window *window = &layer->window;
    const narrow_constants constants = narrow_constants_of(layer);
    const narrow_tail tail = narrow_tail_of(layer);
    const kaption_element element = layer->input_numbers.element;
    const size_t taps = window->kernel_height * window->kernel_width, dwords = narrow_tap_dwords(layer);
    const size_t filters = layer->output.channels / layer->groups, k = taps * dwords;
    const size_t group_bytes = layer->input.channels / layer->groups * kaption_element_bytes(element);
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        for (size_t x = 0; x < layer->output.width; x++) {
            uint8_t *out = narrow_output(layer, y, x);
            for (size_t j = 0; j < layer->output.channels; j++) {
                const size_t group = j / filters;
                const uint32_t *w = constants.weights + group * kaption_round_up(filters * k) + j % filters * k;
                int32_t whole = constants.start[j];
                float sum = 0.0f;
                for (size_t t = 0; t < taps; t++) {
                    const uint8_t *in = tap(layer, &constants, y, x, t / window->kernel_width, t % window->kernel_width);
                    in += group * group_bytes;
                    for (size_t p = 0; p < dwords; p++, w++) {
                        if (element == KAPTION_UINT8) whole = (int32_t)((uint32_t)whole + (uint32_t)dot_bytes(in + 4 * p, *w));
                        else sum = dot_bfloat16(in + 4 * p, *w, sum);
                    }
                }
                if (element == KAPTION_UINT8) sum = (float)whole;
                if (row_scales != NULL) sum = sum * row_scales[y * layer->output.width + x];
                sum = fmaf(sum, constants.multiplier[j], constants.offset[j]);
                if (layer->has_other) {
                    const kaption_element other = layer->other_numbers.element;
                    sum = fmaf(number(other, narrow_pixel(&layer->other, other, y, x), j), tail.other_factor, sum);
                }
                store_finished(&tail, layer->output_numbers.element, out, j, sum);
            }
        }
    }
}
static void convolution_layer(const kaption_layer *layer) { convolution(layer, NULL); }

static void depthwise(const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    const narrow_constants constants = narrow_constants_of(layer);
    const narrow_tail tail = narrow_tail_of(layer);
    const float *weights = (const float *)(const void *)constants.weights;
    const size_t stride = kaption_round_up(layer->output.channels);
    for (size_t y = layer->row_begin; y < layer->row_end; y++)
        for (size_t x = 0; x < layer->output.width; x++)
            for (size_t j = 0; j < layer->output.channels; j++) {
                float sum = (float)constants.start[j];
                for (size_t t = 0; t < window->kernel_height * window->kernel_width; t++) {
                    const uint8_t *in = tap(layer, &constants, y, x, t / window->kernel_width, t % window->kernel_width);
                    sum = fmaf(number(layer->input_numbers.element, in, j), weights[t * stride + j], sum);
                }
                sum = fmaf(sum, constants.multiplier[j], constants.offset[j]);
                store_finished(&tail, layer->output_numbers.element, narrow_output(layer, y, x), j, sum);
            }
}

static void pointwise(const kaption_layer *layer) {
    const narrow_tail tail = narrow_tail_of(layer);
    const int repeats = layer->other.height * layer->other.width == 1;
    const int is_binary = layer->operation == KAPTION_ADD || layer->operation == KAPTION_MULTIPLY;
    for (size_t y = layer->row_begin; y < layer->row_end; y++)
        for (size_t x = 0; x < layer->output.width; x++) {
            const uint8_t *in = narrow_pixel(&layer->input, layer->input_numbers.element, y, x);
            const uint8_t *other =
                is_binary ? narrow_pixel(&layer->other, layer->other_numbers.element, repeats ? 0 : y, repeats ? 0 : x) : NULL;
            for (size_t j = 0; j < layer->output.channels; j++) {
                float a = value(layer->input_numbers, in, j);
                if (layer->operation == KAPTION_ADD) a = a + value(layer->other_numbers, other, j);
                if (layer->operation == KAPTION_MULTIPLY) a = a * value(layer->other_numbers, other, j);
                if (layer->operation == KAPTION_SCALE_SHIFT) a = fmaf(a, layer->weights[j], layer->bias[j]);
                store_activated(&tail, layer->output_numbers.element, narrow_output(layer, y, x), j, a);
            }
        }
}

static void convert(const kaption_layer *layer) {
    pointwise(layer);
    if (layer->input.stride == 4 && layer->output.stride == 4) narrow_clear_gaps(layer);
}

static void pool(const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    const narrow_tail tail = narrow_tail_of(layer);
    const int is_max = layer->operation == KAPTION_MAX_POOL, is_integer = layer->input_numbers.element == KAPTION_UINT8;
    const size_t padded_height = window->pad_top + layer->input.height + window->pad_bottom;
    const size_t padded_width = window->pad_left + layer->input.width + window->pad_right;
    for (size_t y = layer->row_begin; y < layer->row_end; y++)
        for (size_t x = 0; x < layer->output.width; x++)
            for (size_t j = 0; j < layer->output.channels; j++) {
                float found = is_max ? -INFINITY : 0.0f;
                size_t inside = 0, padded = 0;
                for (size_t i = 0; i < window->kernel_height; i++)
                    for (size_t l = 0; l < window->kernel_width; l++) {
                        padded += y * window->stride_height + i * window->dilation_height < padded_height &&
                                  x * window->stride_width + l * window->dilation_width < padded_width;
                        const uint8_t *in = tap(layer, NULL, y, x, i, l);
                        if (in == NULL) continue;
                        inside++;
                        const float cell = value(layer->input_numbers, in, j);
                        if (!is_max) found = found + (is_integer ? (float)in[j] : cell);
                        else if (cell > found || isnan(cell)) found = cell;
                    }
                const float cells = (float)(layer->counts_padding ? padded : inside);
                if (!is_max && is_integer) found = (found + -((float)inside * layer->input_numbers.zero)) * (layer->input_numbers.scale / cells);
                else if (!is_max) found = found / cells;
                store_activated(&tail, layer->output_numbers.element, narrow_output(layer, y, x), j, found);
            }
}
static void global_average_pool(const kaption_layer *layer) {
    kaption_layer whole = *layer;
    whole.window = (kaption_window){layer->input.height, layer->input.width, 1, 1, 1, 1, 0, 0, 0, 0};
    whole.counts_padding = 0;
    pool(&whole);
}

static void write_row(kaption_element element, size_t k, const float *a, void *row, float *scale) {
    float greatest = 0.0f, factor = 1.0f;
    int is_number = 1;
    if (element == KAPTION_UINT8) {
        for (size_t j = 0; j < k; j++) {
            greatest = fmaxf(greatest, fabsf(a[j]));
            is_number &= !isnan(a[j]);
        }
        *scale = is_number ? greatest / 127.0f : NAN;
        if (isinf(greatest)) *scale = NAN;
        factor = greatest > 0.0f && isfinite(*scale) ? 127.0f / greatest : 0.0f;
    }
    for (size_t j = 0; j < kaption_narrow_row_stride(k); j++) {
        float x = j < k ? a[j] : 0.0f;
        if (element == KAPTION_UINT8) x = within(fmaf(x, factor, 128.0f), 0.0f, 255.0f);
        store(element, row, j, x);
    }
}

static uint32_t same(uint32_t dword, size_t part) {
    (void)part;
    return dword;
}

const narrow_table narrow_table_plain = {
    .packing = {{1, 1, 1, 1, same}, {1, 1, 1, 1, same}},
    .convolution = convolution,
    .rows = write_row,
    .layers = {
        [KAPTION_CONVOLUTION] = convolution_layer,
        [KAPTION_DEPTHWISE] = depthwise,
        [KAPTION_ADD] = pointwise,
        [KAPTION_MULTIPLY] = pointwise,
        [KAPTION_SCALE_SHIFT] = pointwise,
        [KAPTION_ACTIVATION] = pointwise,
        [KAPTION_MAX_POOL] = pool,
        [KAPTION_AVERAGE_POOL] = pool,
        [KAPTION_GLOBAL_AVERAGE_POOL] = global_average_pool,
        [KAPTION_COPY] = narrow_copy,
        [KAPTION_GATHER_CHANNELS] = narrow_gather_channels,
        [KAPTION_CONVERT] = convert,
    },
};
