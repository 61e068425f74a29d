#pragma clang fp contract(off)
#include "planes.h"
#include "winograd.h"

static const narrow_table *vector_table(kaption_isa isa) {
#if defined(__x86_64__)
    if (isa >= KAPTION_ISA_AVX512_VNNI) return &narrow_table_vnni;
    if (isa == KAPTION_ISA_AVX512) return &narrow_table_avx512;
    if (isa == KAPTION_ISA_AVX2) return &narrow_table_avx2;
#endif
    (void)isa;
    return &narrow_table_plain;
}

static size_t planes_floats(const kaption_layer *layer) {
    const narrow_planes planes = narrow_planes_of(layer);
    return kaption_round_up(planes.planes * narrow_plane_bytes(layer, &planes, planes.strip_rows) / 4);
}

// Windows that spread over very many pixels are not copied for AMX.
enum { MOST_PLANES_FLOATS = 1 << 22 };
static int goes_by_amx(kaption_isa isa, const kaption_layer *layer) {
    if (isa < KAPTION_ISA_AMX || layer->operation != KAPTION_CONVOLUTION) return 0;
    return narrow_reads_pixels(layer) || planes_floats(layer) <= MOST_PLANES_FLOATS;
}

static const narrow_table *table_of(kaption_isa isa, const kaption_layer *layer) {
    if (layer->window.kernel_height * layer->window.kernel_width > NARROW_MOST_TAPS && layer->operation <= KAPTION_DEPTHWISE)
        return &narrow_table_plain;
#if defined(__x86_64__)
    if (goes_by_amx(isa, layer)) return &narrow_table_amx;
#endif
    return vector_table(isa);
}

size_t kaption_narrow_scratch_floats(kaption_isa isa, const kaption_layer *layer) {
    const narrow_table *table = table_of(isa, layer);
    if (narrow_goes_by_winograd(table, layer)) return narrow_winograd_scratch_floats(&table->packing[0], layer);
    const size_t taps = layer->window.kernel_height * layer->window.kernel_width;
    if (taps > NARROW_MOST_TAPS || !goes_by_amx(isa, layer) || narrow_reads_pixels(layer)) return 0;
    return planes_floats(layer);
}

void kaption_narrow_run(kaption_isa isa, const kaption_layer *layer) {
    if (layer->row_begin >= layer->row_end) return;
    table_of(isa, layer)->layers[layer->operation](layer);
}

narrow_tail narrow_tail_of(const kaption_layer *layer) {
    const kaption_numbers output = layer->output_numbers;
    const int is_clip = layer->activation.kind == KAPTION_LINEAR || layer->activation.kind == KAPTION_CLIP;
    const int is_integer = output.element == KAPTION_UINT8;
    const float factor = is_integer ? 1.0f / output.scale : 1.0f;
    narrow_tail tail = {
        .is_folded = is_clip, .other_factor = 1.0f, .low = -INFINITY, .high = INFINITY, .factor = factor,
        .zero = is_integer ? output.zero : 0.0f, .activation = layer->activation,
    };
    const float units = is_clip ? factor : 1.0f;
    tail.other_factor = (layer->other_numbers.element == KAPTION_UINT8 ? layer->other_numbers.scale : 1.0f) * units;
    if (layer->activation.kind == KAPTION_CLIP) {
        tail.low = is_integer ? rintf(fmaf(layer->activation.alpha, factor, tail.zero)) : layer->activation.alpha;
        tail.high = is_integer ? rintf(fmaf(layer->activation.beta, factor, tail.zero)) : layer->activation.beta;
    }
    if (is_integer) {
        tail.low = fminf(fmaxf(is_clip ? tail.low : 0.0f, 0.0f), 255.0f);
        tail.high = fmaxf(fminf(is_clip ? tail.high : 255.0f, 255.0f), 0.0f);
    }
    return tail;
}

// ---- Packing -----------------------------------------------------------------------------------------------------------------

// The layer as a table's product sees it.
static kaption_layer product_view(const narrow_table *table, const kaption_layer *layer) {
    return table->joins_rows && narrow_joins_rows(layer) ? narrow_row_view(layer) : *layer;
}

static size_t weight_floats(const narrow_table *table, const kaption_layer *layer) {
    if (layer->operation == KAPTION_DEPTHWISE) return narrow_depthwise_floats(narrow_depthwise_form_of(table->depthwise, layer), layer);
    const narrow_packing *packing = &table->packing[layer->input_numbers.element == KAPTION_BFLOAT16];
    if (narrow_goes_by_winograd(table, layer)) return narrow_winograd_floats(packing, layer);
    const kaption_layer view = product_view(table, layer);
    const narrow_cut cut = narrow_cut_of(packing, &view);
    return layer->groups * narrow_panel_dwords(packing, &cut, layer->output.channels / layer->groups);
}

size_t kaption_narrow_packed_floats(kaption_isa isa, const kaption_layer *layer) {
    return 3 * kaption_round_up(layer->output.channels) + narrow_border_floats(layer) + weight_floats(table_of(isa, layer), layer);
}

// The scale of a filter's weights as 8-bit integers.
static float weight_scale(size_t count, const float *w) {
    float greatest = 0.0f;
    for (size_t i = 0; i < count; i++) greatest = fmaxf(greatest, fabsf(w[i]));
    return greatest / 127.0f;
}

void kaption_narrow_rounded_weights(size_t count, const float *w, float *rounded) {
    const float scale = weight_scale(count, w);
    for (size_t i = 0; i < count; i++) rounded[i] = (float)narrow_quantised(w[i], scale) * scale;
}

typedef struct {
    const kaption_layer *layer;
    const narrow_packing *packing;
    const float *w;
    const float *scales;  // of each filter
    size_t per_filter, channels;
} weight_source;

// Dword `index` of filter j: the elements of some channels of one tap.
static uint32_t weight_dword(const weight_source *source, size_t j, size_t index) {
    const size_t dwords = narrow_tap_dwords(source->layer);
    const size_t elements = narrow_dword_elements(source->layer->input_numbers.element);
    const size_t tap = index / dwords, first = index % dwords * elements;
    const float *w = source->w + j * source->per_filter + tap * source->channels;
    uint32_t dword = 0;
    for (size_t i = 0; i < elements && first + i < source->channels; i++) {
        if (elements == 4) dword |= (uint32_t)(uint8_t)narrow_quantised(w[first + i], source->scales[j]) << (8 * i);
        else dword |= (uint32_t)narrow_bfloat16(w[first + i]) << (16 * i);
    }
    return dword;
}

// One chunk of one run of filters from j on.
static void pack_chunk(const weight_source *source, const narrow_cut *cut, size_t chunk, size_t run, size_t j, size_t filters, size_t width,
                       uint32_t *to) {
    const narrow_packing *packing = source->packing;
    const size_t begin = narrow_chunk_begin(cut, chunk);
    for (size_t l = 0; l < width; l++)
        for (size_t i = 0; i < cut->chunk; i++) {
            const int is_new = l < filters && begin + i >= chunk * cut->chunk;
            const uint32_t dword = is_new ? weight_dword(source, j + l, run * cut->run + begin + i) : 0;
            uint32_t *vector = to + (l / packing->lanes * cut->chunk + i) * packing->lanes + l % packing->lanes;
            for (size_t part = 0; part < packing->parts; part++) vector[part * cut->chunk * width] = packing->expand(dword, part);
        }
}

static void pack_group(const weight_source *source, const narrow_cut *cut, size_t first, size_t n, uint32_t *to) {
    const narrow_packing *packing = source->packing;
    for (size_t j = 0; j < n;) {
        const size_t width = narrow_panel_vectors(n - j, packing->lanes, packing->tile_vectors) * packing->lanes;
        for (size_t chunk = 0; chunk < cut->chunks; chunk++)
            for (size_t run = 0; run < cut->runs; run++, to += packing->parts * cut->chunk * width)
                pack_chunk(source, cut, chunk, run, first + j, n - j, width, to);
        j += width;
    }
}

int kaption_narrow_pack(kaption_isa isa, const kaption_layer *layer, const float *w, const float *bias, float *packed) {
    const narrow_table *table = table_of(isa, layer);
    const size_t filters = layer->output.channels, padded = kaption_round_up(filters), groups = layer->groups;
    const size_t taps = layer->window.kernel_height * layer->window.kernel_width;
    const int is_depthwise = layer->operation == KAPTION_DEPTHWISE;
    const int is_integer = layer->input_numbers.element == KAPTION_UINT8;
    const size_t channels = is_depthwise ? 1 : layer->input.channels / groups, per_filter = taps * channels;
    memset(packed, 0, kaption_narrow_packed_floats(isa, layer) * sizeof(float));
    int32_t *start = (int32_t *)(void *)packed;
    float *multiplier = packed + padded, *offset = packed + 2 * padded, *border = packed + 3 * padded;
    float *weights = border + narrow_border_floats(layer);
    if (is_integer) memset(border, (int)layer->input_numbers.zero, narrow_border_floats(layer) * sizeof(float));

    const narrow_tail tail = narrow_tail_of(layer);
    const float units = tail.is_folded ? tail.factor : 1.0f;
    float shift = tail.is_folded ? tail.zero : 0.0f;
    if (layer->has_other && layer->other_numbers.element == KAPTION_UINT8)
        shift = fmaf(-layer->other_numbers.zero, tail.other_factor, shift);
    int is_finite = isfinite(shift);
    const int is_winograd = narrow_goes_by_winograd(table, layer);
    const int64_t middle = is_winograd ? NARROW_WINOGRAD_MIDDLE : 0;
    // The filters' scales wait where the multipliers will be.
    for (size_t j = 0; j < filters; j++) {
        const float scale = is_integer ? weight_scale(per_filter, w + j * per_filter) : 1.0f;
        int64_t sum = 0;
        for (size_t i = 0; i < per_filter; i++) {
            if (is_integer) sum += narrow_quantised(w[j * per_filter + i], scale);
            is_finite &= isfinite(w[j * per_filter + i]) != 0;
        }
        if (is_integer) start[j] = (int32_t)(sum * (middle - (int64_t)layer->input_numbers.zero));
        multiplier[j] = scale;
        offset[j] = fmaf(bias == NULL ? 0.0f : bias[j], units, shift);
        is_finite &= isfinite(offset[j]) != 0;
    }
    if (is_depthwise) {
        narrow_pack_depthwise(narrow_depthwise_form_of(table->depthwise, layer), layer, w, multiplier, weights);
    } else if (is_winograd) {
        narrow_pack_winograd(&table->packing[0], layer, w, multiplier, (uint32_t *)(void *)weights);
    } else {
        const narrow_packing *packing = &table->packing[!is_integer];
        const kaption_layer view = product_view(table, layer);
        const narrow_cut cut = narrow_cut_of(packing, &view);
        const size_t n = filters / groups;
        const weight_source source = {&view, packing, w, multiplier, per_filter, view.input.channels / groups};
        for (size_t group = 0; group < groups; group++)
            pack_group(&source, &cut, group * n, n,
                       (uint32_t *)(void *)weights + group * narrow_panel_dwords(packing, &cut, n));
    }
    for (size_t j = 0; j < filters && is_integer; j++) {
        multiplier[j] = multiplier[j] * layer->input_numbers.scale * units;
        is_finite &= isfinite(multiplier[j]) != 0;
    }
    return is_finite;
}

// ---- Products of rows --------------------------------------------------------------------------------------------------------

static kaption_layer product_layer(kaption_element element, size_t m, size_t n, size_t k) {
    return (kaption_layer){
        .operation = KAPTION_CONVOLUTION,
        .window = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0},
        .groups = 1,
        .input = {NULL, 1, m, k, kaption_narrow_row_stride(k)},
        .output = {NULL, 1, m, n, n},
        .input_numbers = {element, 1.0f, 128.0f},
        .row_end = 1,
    };
}

void kaption_narrow_rows(kaption_isa isa, kaption_element element, size_t m, size_t k, const float *a, size_t lda,
                         void *rows, float *scales) {
    const narrow_table *table = vector_table(isa);
    const size_t bytes = kaption_narrow_row_stride(k) * kaption_element_bytes(element);
    for (size_t i = 0; i < m; i++) table->rows(element, k, a + i * lda, (uint8_t *)rows + i * bytes, scales + i);
}

size_t kaption_narrow_gemm_packed_floats(kaption_isa isa, kaption_element element, size_t n, size_t k) {
    const kaption_layer layer = product_layer(element, 1, n, k);
    return kaption_narrow_packed_floats(isa, &layer);
}

int kaption_narrow_gemm_pack(kaption_isa isa, kaption_element element, size_t n, size_t k, const float *w,
                             const float *bias, float *packed) {
    const kaption_layer layer = product_layer(element, 1, n, k);
    return kaption_narrow_pack(isa, &layer, w, bias, packed);
}

void kaption_narrow_gemm(kaption_isa isa, kaption_element element, size_t m, size_t n, size_t k, const void *rows,
                         const float *scales, const float *packed, float *c, size_t ldc) {
    if (m == 0) return;
    kaption_layer layer = product_layer(element, m, n, k);
    layer.input.data = (float *)(uintptr_t)rows;
    layer.output.data = c;
    layer.output.stride = ldc;
    layer.weights = packed;
#if defined(__x86_64__)
    if (goes_by_amx(isa, &layer)) {
        narrow_rows_amx(&layer, element == KAPTION_UINT8 ? scales : NULL);
        return;
    }
#endif
    table_of(isa, &layer)->convolution(&layer, element == KAPTION_UINT8 ? scales : NULL);
}

// ---- What moves only ---------------------------------------------------------------------------------------------------------

void narrow_copy(const kaption_layer *layer) {
    const kaption_element element = layer->input_numbers.element;
    for (size_t y = layer->row_begin; y < layer->row_end; y++)
        for (size_t x = 0; x < layer->output.width; x++)
            memcpy(narrow_output(layer, y, x), narrow_pixel(&layer->input, element, y, x),
                   layer->output.channels * kaption_element_bytes(element));
}

void narrow_clear_gaps(const kaption_layer *layer) {
    const size_t bytes = kaption_element_bytes(layer->output_numbers.element);
    const size_t used = layer->output.channels * bytes, pixel = layer->output.stride * bytes, gap = pixel - used;
    static const uint8_t zeros[4] = {0};
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        uint8_t *out = narrow_output(layer, y, 0) + used;
        // Sizes that the compiler knows become single stores.
        if (gap == 1) for (size_t x = 0; x < layer->output.width; x++) memcpy(out + x * pixel, zeros, 1);
        else if (gap == 2) for (size_t x = 0; x < layer->output.width; x++) memcpy(out + x * pixel, zeros, 2);
        else for (size_t x = 0; x < layer->output.width; x++) memset(out + x * pixel, 0, gap);
    }
}

void narrow_gather_channels(const kaption_layer *layer) {
    const kaption_element element = layer->input_numbers.element;
    const size_t bytes = kaption_element_bytes(element);
    const uint32_t *indices = (const uint32_t *)(const void *)layer->weights;
    for (size_t y = layer->row_begin; y < layer->row_end; y++)
        for (size_t x = 0; x < layer->output.width; x++) {
            const uint8_t *in = narrow_pixel(&layer->input, element, y, x);
            uint8_t *out = narrow_output(layer, y, x);
            for (size_t j = 0; j < layer->output.channels; j++) memcpy(out + j * bytes, in + indices[j] * bytes, bytes);
        }
}
