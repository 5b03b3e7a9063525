package dev.wukong.serving.embedding;

import java.nio.file.Path;

class HeapRowStoreTest extends StateStoreContract {
  @Override
  StateStore open(Path folder) {
    return new HeapRowStore();
  }
}
