// Convolutions as products: rows of pointers, a plain matrix for 1×1, rows copied close together for images.

// Whether the weights are so many, a megabyte, that the second-level cache does not keep them beside the values: rows are gathered then, so that
// fetching the weights keeps pace.
INLINE int is_gathered(size_t n, size_t k) { return n * k >= 1 << 18; }

static void convolution_pack(size_t n, size_t k, const float *w, size_t ldw, float *packed) {
    if (is_gathered(n, k)) gathered_pack(n, k, w, ldw, packed);
    else product_pack(n, k, w, ldw, packed);
}

// A convolution over few channels, as an image has: sums over the channels of one tap would be shorter than their overhead. The input
// rows of a few output rows are copied with their borders and without what lies between the pixels, so that a row of a window is one piece.
enum { IMAGE_CHANNELS = 4, IMAGE_FLOATS = 8192 };

// The input rows and columns from the first to the last that `rows` and `columns` of the output read.
INLINE size_t rows_read(const kaption_window *window, size_t rows) {
    return (rows - 1) * window->stride_height + (window->kernel_height - 1) * window->dilation_height + 1;
}
INLINE size_t columns_read(const kaption_window *window, size_t columns) {
    return (columns - 1) * window->stride_width + window->kernel_width;
}

static int is_image(const kaption_layer *layer) {
    const size_t channels = layer->input.channels;
    return layer->groups == 1 && channels <= IMAGE_CHANNELS && layer->input.stride >= IMAGE_CHANNELS &&
           layer->window.dilation_width == 1 && columns_read(&layer->window, 1) <= IMAGE_FLOATS &&
           rows_read(&layer->window, 1) <= IMAGE_FLOATS / IMAGE_CHANNELS / columns_read(&layer->window, 1);
}

// Copies `rows` by `columns` pixels of the padded input from (top, left) on. Copies IMAGE_CHANNELS floats a pixel: what is too much is
// overwritten by the next one, and the last one's goes beyond the end. The input comes by value, so that the compiler knows that the
// copies do not change it.
static void copy_image(const kaption_tensor input, const kaption_window *window, size_t top, size_t left, size_t rows, size_t columns,
                       float *to) {
    const size_t before = at_most(left < window->pad_left ? window->pad_left - left : 0, columns);
    const size_t right = window->pad_left + input.width, end = right > left ? at_most(right - left, columns) : before;
    for (size_t i = 0; i < rows; i++, to += columns * input.channels) {
        // Wraps below zero, and then is not less than the height.
        const size_t y = top + i - window->pad_top;
        if (y >= input.height) {
            memset(to, 0, columns * input.channels * sizeof(float));
            continue;
        }
        memset(to, 0, before * input.channels * sizeof(float));
        const float *in = kaption_pixel(&input, y, left + before - window->pad_left);
        float *out = to + before * input.channels;
        for (size_t j = before; j < end; j++, in += input.stride, out += input.channels)
            memcpy(out, in, IMAGE_CHANNELS * sizeof(float));
        memset(out, 0, (columns - end) * input.channels * sizeof(float));
    }
}

static void run_image(const product *whole) {
    float image[IMAGE_FLOATS + IMAGE_CHANNELS];
    const kaption_layer *layer = whole->layer;
    const kaption_window *window = &layer->window;
    const size_t channels = whole->channels, width = layer->output.width, end = layer->row_end;
    size_t columns = width, rows = 1;
    while (rows_read(window, 1) * columns_read(window, columns) > IMAGE_FLOATS / IMAGE_CHANNELS) columns = (columns + 1) / 2;
    const size_t line = columns_read(window, columns) * channels;
    while (rows_read(window, rows + 1) * line <= IMAGE_FLOATS) rows++;
    for (size_t y = layer->row_begin; y < end; y += rows) {
        const size_t strip = at_most(rows, end - y);
        for (size_t x = 0; x < width; x += columns) {
            copy_image(layer->input, window, y * window->stride_height, x * window->stride_width, rows_read(window, strip),
                       columns_read(window, columns), image);
            for (size_t i = 0; i < strip; i++) {
                const size_t pixel = (y + i - layer->row_begin) * width + x;
                product part = *whole;
                part.layer = NULL;
                part.m = at_most(columns, width - x);
                part.taps = window->kernel_height;
                part.channels = window->kernel_width * channels;
                part.a = image + i * window->stride_height * line;
                part.lda = window->stride_width * channels;
                part.tap_stride = window->dilation_height * line;
                part.tile.c += pixel * part.tile.ldc;
                if (part.tile.residual != NULL) part.tile.residual += pixel * part.tile.residual_stride;
                run_product(&part);
            }
        }
    }
}

static void convolution(const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    const size_t taps = window->kernel_height * window->kernel_width;
    const size_t channels = layer->input.channels / layer->groups, filters = layer->output.channels / layer->groups;
    const size_t first_pixel = layer->row_begin * layer->output.width;
    const size_t pixels = (layer->row_end - layer->row_begin) * layer->output.width;
    const int is_matrix = taps == 1 && window->stride_height == 1 && window->stride_width == 1 &&
                          layer->input.height == layer->output.height && layer->input.width == layer->output.width;
    if (pixels == 0) return;
    for (size_t group = 0; group < layer->groups; group++) {
        product p = {
            .m = pixels, .n = filters, .taps = taps, .channels = channels,
            .layer = is_matrix ? NULL : layer, .first_pixel = first_pixel, .group_offset = group * channels,
            .a = layer->input.data + first_pixel * layer->input.stride + group * channels, .lda = layer->input.stride,
            .packed = layer->weights + group * product_packed_floats(filters, taps * channels),
            .tile = {
                .c = layer->output.data + first_pixel * layer->output.stride + group * filters,
                .ldc = layer->output.stride,
                .bias = layer->bias == NULL ? NULL : layer->bias + group * filters,
                .residual = !layer->has_other ? NULL
                                              : layer->other.data + first_pixel * layer->other.stride + group * filters,
                .residual_stride = layer->other.stride,
                .activation = &layer->activation,
            },
        };
        if (is_gathered(filters, taps * channels)) run_gathered(&p);
        else if (!is_matrix && is_image(layer)) run_image(&p);
        else run_product(&p);
    }
}
