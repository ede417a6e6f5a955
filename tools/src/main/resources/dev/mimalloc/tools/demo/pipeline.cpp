// Producers and consumers: messages are made by one thread and freed by another, batch by batch.
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

constexpr int producers = 3, consumers = 3, batches = 6000, batchSize = 512;

struct Message {
  std::string topic;
  std::vector<std::uint32_t> payload;
};
using Batch = std::vector<std::unique_ptr<Message>>;

class Queue {
  std::mutex lock;
  std::condition_variable room, work;
  std::deque<Batch> batches;

public:
  void put(Batch batch) {
    std::unique_lock<std::mutex> hold(lock);
    room.wait(hold, [&] { return batches.size() < 16; });
    batches.push_back(std::move(batch));
    work.notify_one();
  }

  Batch take() {
    std::unique_lock<std::mutex> hold(lock);
    work.wait(hold, [&] { return !batches.empty(); });
    Batch batch = std::move(batches.front());
    batches.pop_front();
    room.notify_one();
    return batch;
  }
};

int main() {
  Queue queue;
  std::vector<std::thread> threads;
  std::vector<std::uint64_t> sums(consumers);
  for (int p = 0; p < producers; p++)
    threads.emplace_back([&, p] {
      for (int b = 0; b < batches; b++) {
        Batch batch;
        for (std::uint32_t i = 0; i < batchSize; i++) {
          auto message = std::make_unique<Message>();
          message->topic = "producer " + std::to_string(p) + " batch " + std::to_string(b) + " of the day";
          message->payload.assign(1 + (i * 7 + b) % 40, i);
          batch.push_back(std::move(message));
        }
        queue.put(std::move(batch));
      }
    });
  for (int c = 0; c < consumers; c++)
    threads.emplace_back([&, c] {
      while (true) {
        Batch batch = queue.take();
        if (batch.empty()) return;
        for (auto& message : batch)
          for (auto word : message->payload) sums[c] += word * message->topic.size();
      }
    });
  for (int p = 0; p < producers; p++) threads[p].join();
  for (int c = 0; c < consumers; c++) queue.put({});
  std::uint64_t sum = 0;
  for (int c = 0; c < consumers; c++) {
    threads[producers + c].join();
    sum += sums[c];
  }
  std::printf("messages %d checksum %llu\n", producers * batches * batchSize, static_cast<unsigned long long>(sum));
}
