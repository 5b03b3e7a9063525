# A base with Java 25 and CUDA 12 for the service's image:
#   docker build -f docker/gpu-base.Dockerfile -t wukong-gpu-base docker
#   mvn -q -Pgpu -DskipTests package
#   docker build -f docker/Dockerfile --build-arg BASE=wukong-gpu-base -t wukong-serving:gpu .
#   docker run --rm --gpus all --entrypoint java wukong-serving:gpu --version
ARG JRE=eclipse-temurin:25-jre-noble
ARG CUDA=nvidia/cuda:12.9.1-cudnn-runtime-ubuntu24.04

FROM ${JRE} AS jre

FROM ${CUDA}
ENV JAVA_HOME=/opt/java/openjdk
ENV PATH=${JAVA_HOME}/bin:${PATH}
COPY --from=jre ${JAVA_HOME} ${JAVA_HOME}
