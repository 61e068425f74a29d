#include "CJPEG.h"
#include "entropy.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jpeglib.h>
#include <jerror.h>

#ifndef JCS_EXTENSIONS
#error "libjpeg-turbo is needed: its extended colour spaces write four bytes a pixel"
#endif

struct kaption_jpeg_decoder {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    struct entropy_decoder entropy;
    int leaves_entropy;
    jmp_buf escape;
    kaption_jpeg_status status;
    int maximum_scans;
    uint64_t deadline;
    int is_cmyk;
    char message[JMSG_LENGTH_MAX];
};

static _Noreturn void escape(kaption_jpeg_decoder *decoder, kaption_jpeg_status status) {
    decoder->status = status;
    longjmp(decoder->escape, 1);
}

static kaption_jpeg_status status_of_error(int code) {
    switch (code) {
    case JERR_OUT_OF_MEMORY:
        return KAPTION_JPEG_NO_MEMORY;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CCIR601_NOTIMPL:
    case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_NOTIMPL:
    case JERR_NO_SOI:
    case JERR_SOF_UNSUPPORTED:
        return KAPTION_JPEG_UNSUPPORTED;
    default:
        return KAPTION_JPEG_CORRUPT;
    }
}

static int is_damage(int warning) {
    switch (warning) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_BOGUS_ICC:
        return 0;
    default:
        return 1;
    }
}

static void on_error(j_common_ptr info) {
    kaption_jpeg_decoder *decoder = info->client_data;
    info->err->format_message(info, decoder->message);
    escape(decoder, status_of_error(info->err->msg_code));
}

static void on_message(j_common_ptr info, int level) {
    if (level < 0 && is_damage(info->err->msg_code)) {
        kaption_jpeg_decoder *decoder = info->client_data;
        info->err->format_message(info, decoder->message);
        escape(decoder, KAPTION_JPEG_CORRUPT);
    }
}

static void on_output(j_common_ptr info) { (void)info; }

static void check_deadline(kaption_jpeg_decoder *decoder) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    if ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec > decoder->deadline) {
        snprintf(decoder->message, sizeof decoder->message, "decoding took too long");
        escape(decoder, KAPTION_JPEG_TIMEOUT);
    }
}

// libjpeg calls this once a row of blocks while it takes in the scans of a file that has several.
static void on_progress(j_common_ptr info) {
    kaption_jpeg_decoder *decoder = info->client_data;
    if (info->is_decompressor && ((j_decompress_ptr)info)->input_scan_number > decoder->maximum_scans) {
        snprintf(decoder->message, sizeof decoder->message, "more than %d scans", decoder->maximum_scans);
        escape(decoder, KAPTION_JPEG_TOO_MANY_SCANS);
    }
    check_deadline(decoder);
}

kaption_jpeg_decoder *kaption_jpeg_decoder_make(void) {
    kaption_jpeg_decoder *decoder = calloc(1, sizeof *decoder);
    if (decoder == NULL) return NULL;
    decoder->info.err = jpeg_std_error(&decoder->errors);
    decoder->errors.error_exit = on_error;
    decoder->errors.emit_message = on_message;
    decoder->errors.output_message = on_output;
    decoder->info.client_data = decoder;
    decoder->progress.progress_monitor = on_progress;
    return decoder;
}

void kaption_jpeg_decoder_free(kaption_jpeg_decoder *decoder) {
    if (decoder == NULL) return;
    jpeg_destroy_decompress(&decoder->info);
    free(decoder);
}

void kaption_jpeg_leave_all_to_libjpeg(kaption_jpeg_decoder *decoder) { decoder->leaves_entropy = 1; }

kaption_jpeg_status kaption_jpeg_open(kaption_jpeg_decoder *decoder, const uint8_t *bytes, size_t count,
                                      int maximum_scans, uint64_t deadline) {
    decoder->maximum_scans = maximum_scans;
    decoder->deadline = deadline;
    decoder->message[0] = 0;
    if (setjmp(decoder->escape)) {
        jpeg_abort_decompress(&decoder->info);
        return decoder->status;
    }
    // Anew for each picture, not only aborted: tables would stay, and a picture without its own would be decoded with those of the one before.
    jpeg_destroy_decompress(&decoder->info);
    jpeg_create_decompress(&decoder->info);
    decoder->info.progress = &decoder->progress;
    jpeg_mem_src(&decoder->info, bytes, count);
    jpeg_read_header(&decoder->info, TRUE);
    return KAPTION_JPEG_OK;
}

kaption_jpeg_status kaption_jpeg_start(kaption_jpeg_decoder *decoder, int eighths, uint32_t *width, uint32_t *height) {
    struct jpeg_decompress_struct *info = &decoder->info;
    if (setjmp(decoder->escape)) {
        jpeg_abort_decompress(info);
        return decoder->status;
    }
    decoder->is_cmyk = info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK;
    info->out_color_space = decoder->is_cmyk ? JCS_CMYK : JCS_EXT_RGBX;
    info->dct_method = JDCT_ISLOW;
    info->scale_num = (unsigned)eighths;
    info->scale_denom = 8;
    jpeg_start_decompress(info);
    if (!decoder->leaves_entropy) entropy_take_over(&decoder->entropy, info);
    // From here on read_rows looks at the deadline itself, once a call instead of once a row.
    info->progress = NULL;
    *width = info->output_width;
    *height = info->output_height;
    return KAPTION_JPEG_OK;
}

// Whether libjpeg leaves out columns and rows rightly. In files of several scans it may smooth blocks, and borders would show. Where luma is
// sampled three or four times as often as chroma, 2.1 takes wrong widths for columns, and skips rows that it has begun, without end at times.
static int can_skip(struct jpeg_decompress_struct *info) {
    return !jpeg_has_multiple_scans(info) && info->max_h_samp_factor <= 2 && info->max_v_samp_factor <= 2;
}

// Leaves out the next rows, some at a time for the deadline's sake: at an eighth of the size they are eight times as many of the file's.
static void skip_rows(kaption_jpeg_decoder *decoder, uint32_t rows) {
    while (rows > 0) {
        check_deadline(decoder);
        uint32_t wanted = rows < 96 ? rows : 96;
        jpeg_skip_scanlines(&decoder->info, wanted);
        rows -= wanted;
    }
}

kaption_jpeg_status kaption_jpeg_select(kaption_jpeg_decoder *decoder, uint32_t *column, uint32_t *width, uint32_t *row) {
    struct jpeg_decompress_struct *info = &decoder->info;
    if (setjmp(decoder->escape)) {
        jpeg_abort_decompress(info);
        return decoder->status;
    }
    // At an edge libjpeg interpolates chroma as at the picture's own: the pixels beside it are wanted too, then left unread.
    const uint32_t margin = 2, whole = info->output_width;
    JDIMENSION first = *column > margin ? *column - margin : 0;
    JDIMENSION count = (*column + *width + margin < whole ? *column + *width + margin : whole) - first;
    if (!can_skip(info)) {
        first = 0, count = whole, *row = 0;
    } else if (count < whole) {
        jpeg_crop_scanline(info, &first, &count);
    }
    skip_rows(decoder, *row);
    *column = first;
    *width = count;
    return KAPTION_JPEG_OK;
}

// CMYK by Adobe's convention, which all programs that write such files follow: 255 stands for no ink.
static void cmyk_to_rgb(uint8_t *pixels, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint8_t *pixel = pixels + 4 * i;
        for (int c = 0; c < 3; c++) pixel[c] = (uint8_t)((pixel[c] * pixel[3] + 127) / 255);
    }
}

kaption_jpeg_status kaption_jpeg_read_rows(kaption_jpeg_decoder *decoder, uint8_t *pixels, size_t stride, uint32_t rows) {
    struct jpeg_decompress_struct *info = &decoder->info;
    if (setjmp(decoder->escape)) {
        jpeg_abort_decompress(info);
        return decoder->status;
    }
    check_deadline(decoder);
    uint32_t done = 0;
    while (done < rows) {
        JSAMPROW pointers[16];
        uint32_t wanted = rows - done < 16 ? rows - done : 16;
        for (uint32_t i = 0; i < wanted; i++) pointers[i] = pixels + (size_t)(done + i) * stride;
        uint32_t read = jpeg_read_scanlines(info, pointers, wanted);
        if (read == 0) {
            snprintf(decoder->message, sizeof decoder->message, "no more rows");
            escape(decoder, KAPTION_JPEG_CORRUPT);
        }
        if (decoder->is_cmyk) {
            for (uint32_t i = 0; i < read; i++) cmyk_to_rgb(pointers[i], info->output_width);
        }
        done += read;
    }
    return KAPTION_JPEG_OK;
}

kaption_jpeg_status kaption_jpeg_finish(kaption_jpeg_decoder *decoder) {
    if (setjmp(decoder->escape)) {
        jpeg_abort_decompress(&decoder->info);
        return decoder->status;
    }
    struct jpeg_decompress_struct *info = &decoder->info;
    if (info->output_scanline < info->output_height) {
        // Skipping the last row would end the work without a look at what is left of the file.
        if (can_skip(info)) skip_rows(decoder, info->output_height - info->output_scanline - 1);
        JSAMPROW row = (*info->mem->alloc_small)((j_common_ptr)info, JPOOL_IMAGE, 4 * (size_t)info->output_width);
        for (uint32_t i = 0; info->output_scanline < info->output_height; i++) {
            if (i % 16 == 0) check_deadline(decoder);
            jpeg_read_scanlines(info, &row, 1);
        }
    }
    jpeg_finish_decompress(info);
    return KAPTION_JPEG_OK;
}

const char *kaption_jpeg_message(const kaption_jpeg_decoder *decoder) { return decoder->message; }
