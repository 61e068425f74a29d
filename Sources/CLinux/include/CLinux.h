#ifndef KAPTION_CLINUX_H
#define KAPTION_CLINUX_H
#endif
