package dev.wukong.serving.embedding;

import java.nio.file.Path;

class HeapRowStoreTest extends RowStoreContract {
  @Override
  RowStore open(Path folder) {
    return new HeapRowStore();
  }
}
