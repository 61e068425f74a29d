// Convolutions as products: rows of pointers, a plain matrix for 1×1, copied windows for images.

// Whether the weights are so many, a megabyte, that the second-level cache does not keep them beside the values: rows are gathered then, so that
// fetching the weights keeps pace.
INLINE int is_gathered(size_t n, size_t k) { return n * k >= 1 << 18; }

static void convolution_pack(size_t n, size_t k, const float *w, size_t ldw, float *packed) {
    if (is_gathered(n, k)) gathered_pack(n, k, w, ldw, packed);
    else product_pack(n, k, w, ldw, packed);
}

// A convolution over few channels, as an image has: its inner loops would be shorter than their overhead, so the windows of a few
// pixels are copied together and multiplied as rows of a matrix.
enum { NARROW_CHANNELS = 4, NARROW_FLOATS = 4096, NARROW_TILES = 8 };

static int is_narrow(const kaption_layer *layer) {
    const size_t taps = layer->window.kernel_height * layer->window.kernel_width;
    return layer->groups == 1 && layer->input.channels <= NARROW_CHANNELS && layer->input.stride >= NARROW_CHANNELS &&
           taps <= NARROW_FLOATS / TILE_ROWS / NARROW_CHANNELS - 1;
}

// Copies the window of output pixel (y, x). Copies NARROW_CHANNELS floats a tap: what is too much is overwritten by the next tap, and
// by the next window. The layer comes by value, so that the compiler knows that the copies do not change it.
INLINE void copy_window(const kaption_window window, const kaption_tensor input, size_t y, size_t x, float *to) {
    const size_t step = window.dilation_width * input.stride;
    const size_t top = y * window.stride_height - window.pad_top, left = x * window.stride_width - window.pad_left;
    const size_t reach = (window.kernel_width - 1) * window.dilation_width;
    const int is_inside = left < input.width && left + reach < input.width;
    for (size_t i = 0; i < window.kernel_height; i++) {
        const size_t row = top + i * window.dilation_height;
        if (row < input.height && is_inside) {
            const float *in = input.data + (row * input.width + left) * input.stride;
            for (size_t j = 0; j < window.kernel_width; j++, in += step, to += input.channels)
                memcpy(to, in, NARROW_CHANNELS * sizeof(float));
            continue;
        }
        for (size_t j = 0; j < window.kernel_width; j++, to += input.channels) {
            const size_t column = left + j * window.dilation_width;
            if (row < input.height && column < input.width)
                memcpy(to, kaption_pixel(&input, row, column), NARROW_CHANNELS * sizeof(float));
            else
                memset(to, 0, NARROW_CHANNELS * sizeof(float));
        }
    }
}

static void run_narrow(const product *whole) {
    float windows[NARROW_FLOATS];
    const kaption_window window = whole->layer->window;
    const kaption_tensor input = whole->layer->input;
    const size_t width = whole->layer->output.width;
    size_t y = whole->first_pixel / width, x = whole->first_pixel % width;
    const size_t k = whole->taps * whole->channels, lda = k + NARROW_CHANNELS;
    const size_t rows = at_most(NARROW_FLOATS / lda / TILE_ROWS, NARROW_TILES) * TILE_ROWS;
    for (size_t first = 0; first < whole->m; first += rows) {
        product part = *whole;
        part.m = at_most(rows, whole->m - first);
        for (size_t i = 0; i < part.m; i++) {
            copy_window(window, input, y, x, windows + i * lda);
            if (++x == width) {
                x = 0;
                y++;
            }
        }
        part.layer = NULL;
        part.taps = 1;
        part.channels = k;
        part.a = windows;
        part.lda = lda;
        part.tile.c += first * part.tile.ldc;
        if (part.tile.residual != NULL) part.tile.residual += first * part.tile.residual_stride;
        run_product(&part);
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
        else if (!is_matrix && is_narrow(layer)) run_narrow(&p);
        else run_product(&p);
    }
}
