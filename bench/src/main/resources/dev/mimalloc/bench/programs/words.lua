-- Tables, strings and closures: an index of generated texts, a queue of events, and rope-like concatenation.
--   words.lua ROUNDS
local state = 42
local function random(n)
  state = (state * 1103515245 + 12345) % 2147483648
  return (state >> 8) % n
end

local checksum = 0
for round = 1, tonumber(arg[1]) do
  local index, texts = {}, {}
  for i = 1, 12000 do
    local words = {}
    for w = 1, 5 + random(15) do words[w] = "word" .. random(3000) end
    local text = table.concat(words, " ")
    texts[i] = text
    for word in text:gmatch("%w+") do
      local list = index[word]
      if not list then list = {} index[word] = list end
      list[#list + 1] = {document = i, length = #text}
    end
  end
  for _, list in pairs(index) do checksum = (checksum + #list * #list) % 1000000007 end
  local upper = {}
  for i, text in ipairs(texts) do upper[i] = text:upper():gsub("WORD(%d)", "<%1>") end
  table.sort(upper)
  for i = 1, #upper, 100 do checksum = (checksum * 31 + #upper[i]) % 1000000007 end

  local queue, first = {}, 1
  for i = 1, 400000 do
    queue[#queue + 1] = function() return i % 7 end
    if i % 3 == 0 then
      checksum = checksum + queue[first]()
      queue[first] = false
      first = first + 1
    end
  end
end
print("checksum", checksum)
