# The programs on Debian's libraries. Same scripts as on a bare machine: docker build -t kaption .
FROM swift:6.3.1-bookworm AS build
WORKDIR /kaption
COPY scripts/setup.sh scripts/
RUN scripts/setup.sh
COPY . .
SHELL ["/bin/bash", "-c"]
RUN mkdir /programs && cp "$(scripts/build.sh)"/kaption-{worker,enqueue,model,broker} /programs/

FROM debian:12-slim
COPY scripts/setup.sh /usr/share/kaption/scripts/
RUN /usr/share/kaption/scripts/setup.sh --runtime && rm -rf /var/lib/apt/lists/*
COPY --from=build /programs/ /usr/local/bin/
COPY Models /models
RUN useradd --system kaption
USER kaption
CMD ["kaption-worker", "--help"]
