# A base with Java 25 and CUDA 12 for the service's image:
#   docker build -f docker/gpu-base.Dockerfile -t wukong-gpu-base docker
#   mvn -q -Pgpu -DskipTests package
#   docker build -f docker/Dockerfile --build-arg BASE=wukong-gpu-base -t wukong-serving:gpu .
#   docker run --rm --gpus all -e WUKONG_ENGINE_DEVICE=cuda:0 -v /path/to/bundles:/var/lib/wukong/bundles:ro wukong-serving:gpu
# To try a machine's GPU without an image:
#   mvn -q -Pgpu -DskipTests package && java -jar model-export/target/model-export.jar smoke --device cuda:0
ARG JRE=eclipse-temurin:25.0.4_7-jre-noble
ARG CUDA=nvidia/cuda:12.9.1-cudnn-runtime-ubuntu24.04

FROM ${JRE} AS jre

FROM ${CUDA}
ENV JAVA_HOME=/opt/java/openjdk
ENV PATH=${JAVA_HOME}/bin:${PATH}
COPY --from=jre ${JAVA_HOME} ${JAVA_HOME}
