# syntax=docker/dockerfile:1
# Firebreak in an image: no shell is needed, no package manager is left, nothing is written.

FROM node:22.20.0-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM gcr.io/distroless/nodejs22-debian12:nonroot
LABEL org.opencontainers.image.title="Firebreak" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
COPY package.json ./
COPY rules rules
COPY fixtures/story fixtures/story
ENV NODE_ENV=production \
    NODE_OPTIONS=--disallow-code-generation-from-strings
# Group 0 may read all of it, so that any user id may run it (OpenShift).
USER 65532:0
EXPOSE 9464
ENTRYPOINT ["/nodejs/bin/node", "dist/cli/main.js"]
CMD ["--help"]
