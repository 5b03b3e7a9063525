package dev.wukong.serving.events;

import java.nio.file.Path;

class HeapEventLogTest extends EventLogContract {
  @Override
  EventLog open(Path folder) {
    return new HeapEventLog();
  }
}
