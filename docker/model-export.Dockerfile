# The command line as an image: trains models, and plays the quickstart's users for cluster.yaml. From the project's folder:
#   mvn -q -DskipTests package && docker build -f docker/model-export.Dockerfile -t wukong-model-export .
#   docker run --rm --read-only --tmpfs /tmp:exec wukong-model-export --help
ARG BASE=eclipse-temurin:25.0.4_7-jre-noble

FROM ${BASE}
LABEL org.opencontainers.image.title="wukong-model-export" \
      org.opencontainers.image.description="Trains, evaluates and exports ranking models" \
      org.opencontainers.image.licenses="Apache-2.0"
# ONNX Runtime reads it from the environment, before Java starts.
ENV ORT_DISABLE_TELEMETRY=1
# Not by useradd, which notes the day.
RUN echo 'wukong:x:10001:' >> /etc/group \
 && echo 'wukong:x:10001:10001::/var/lib/wukong:/usr/sbin/nologin' >> /etc/passwd \
 && install -d -o 10001 -g 10001 /var/lib/wukong /var/lib/wukong/bundles
COPY model-export/target/model-export.jar /app/model-export.jar
USER 10001:10001
WORKDIR /var/lib/wukong
VOLUME ["/var/lib/wukong"]
ENTRYPOINT ["java", "--enable-native-access=ALL-UNNAMED", "-jar", "/app/model-export.jar"]
