#include "CJPEG.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

struct escape_errors {
    struct jpeg_error_mgr errors;
    jmp_buf escape;
};

static void on_error(j_common_ptr info) { longjmp(((struct escape_errors *)info->err)->escape, 1); }
static void on_output(j_common_ptr info) { (void)info; }

static J_COLOR_SPACE stored_space(kaption_jpeg_colour colour) {
    switch (colour) {
    case KAPTION_JPEG_GREY:
        return JCS_GRAYSCALE;
    case KAPTION_JPEG_RGB:
        return JCS_RGB;
    case KAPTION_JPEG_YCBCR:
        return JCS_YCbCr;
    case KAPTION_JPEG_CMYK:
        return JCS_CMYK;
    case KAPTION_JPEG_YCCK:
        return JCS_YCCK;
    }
    return JCS_UNKNOWN;
}

static void set_options(struct jpeg_compress_struct *info, const kaption_jpeg_options *options) {
    int grey = options->colour == KAPTION_JPEG_GREY;
    int four = options->colour == KAPTION_JPEG_CMYK || options->colour == KAPTION_JPEG_YCCK;
    info->image_width = options->width;
    info->image_height = options->height;
    info->input_components = grey ? 1 : four ? 4 : 3;
    info->in_color_space = grey ? JCS_GRAYSCALE : four ? JCS_CMYK : JCS_RGB;
    jpeg_set_defaults(info);
    jpeg_set_colorspace(info, stored_space(options->colour));
    jpeg_set_quality(info, options->quality, TRUE);
    if (options->colour == KAPTION_JPEG_YCBCR || options->colour == KAPTION_JPEG_YCCK) {
        // Luma (and black, the fourth) at full size, the two chroma components below it.
        for (int c = 0; c < info->num_components; c++) {
            int is_chroma = c == 1 || c == 2;
            info->comp_info[c].h_samp_factor = is_chroma ? 1 : options->chroma_horizontal;
            info->comp_info[c].v_samp_factor = is_chroma ? 1 : options->chroma_vertical;
        }
    }
    info->arith_code = options->arithmetic ? TRUE : FALSE;
    info->optimize_coding = options->arithmetic ? FALSE : TRUE;
    info->restart_in_rows = options->restart_rows;
    if (options->progressive) jpeg_simple_progression(info);
}

// The target is the caller's, so that its value is certain after a longjmp to this frame.
static int compress(const kaption_jpeg_options *options, const uint8_t *pixels, unsigned char **bytes,
                    unsigned long *count) {
    struct jpeg_compress_struct info;
    struct escape_errors errors;
    info.err = jpeg_std_error(&errors.errors);
    errors.errors.error_exit = on_error;
    errors.errors.output_message = on_output;
    if (setjmp(errors.escape)) {
        jpeg_destroy_compress(&info);
        return 0;
    }
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, bytes, count);
    set_options(&info, options);
    jpeg_start_compress(&info, TRUE);
    size_t stride = (size_t)options->width * (size_t)info.input_components;
    while (info.next_scanline < info.image_height) {
        JSAMPROW row = (JSAMPROW)(pixels + info.next_scanline * stride);
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    return 1;
}

kaption_jpeg_status kaption_jpeg_encode(const kaption_jpeg_options *options, const uint8_t *pixels, uint8_t **bytes,
                                        size_t *count) {
    unsigned char *buffer = NULL;
    unsigned long size = 0;
    if (!compress(options, pixels, &buffer, &size)) {
        free(buffer);
        return KAPTION_JPEG_UNSUPPORTED;
    }
    *bytes = buffer;
    *count = size;
    return KAPTION_JPEG_OK;
}

void kaption_jpeg_release(uint8_t *bytes) { free(bytes); }
