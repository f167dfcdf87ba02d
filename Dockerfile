# Runs with a read-only root file system:
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges -v tourniquet:/data -p 8080:8080 tourniquet
# The volume holds the ledger and its keys: back it up, and let nobody else read it.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
# .npmrc turns install scripts off: nothing that is installed runs code while the image is built.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional && npm cache clean --force

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    TOURNIQUET_DATA_DIR=/data
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY src ./src
COPY connectors ./connectors
COPY runbooks ./runbooks
# A new volume takes over the owner and mode of the folder that it covers.
RUN install -d -o node -g node -m 0700 /data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "src/launch.cjs"]
CMD ["start"]
