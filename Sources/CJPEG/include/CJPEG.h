#ifndef KAPTION_CJPEG_H
#define KAPTION_CJPEG_H
#endif
