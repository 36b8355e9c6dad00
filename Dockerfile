# One image for every role: HOPSCOPE_ROLE says which. Inside it listens on loopback until HOPSCOPE_WEB and its like say otherwise (compose.yaml).
FROM node:24-slim AS build
WORKDIR /app
# what changes seldom first: the dependencies are installed again only when they changed
COPY package.json package-lock.json .npmrc ./
COPY .ci/setup.mjs .ci/
RUN npm run setup
COPY . .
RUN npm run build && npm prune --omit=dev && rm -rf .next/cache

FROM node:24-slim
WORKDIR /app
COPY --from=build /app ./
# the program may not change itself
RUN mkdir /data && chown node:node /data
USER node
ENV NODE_ENV=production HOPSCOPE_DATA=/data
VOLUME /data
STOPSIGNAL SIGTERM
# the port of HOPSCOPE_WEB, whatever else it says
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.HOPSCOPE_WEB ?? '3000').split(':').pop() + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# as "start" in package.json: npm itself would not hand signals on
CMD ["node", "--disable-warning=ExperimentalWarning", "--max-semi-space-size=4", "collectors/main.ts"]
