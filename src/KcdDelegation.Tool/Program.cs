using KcdDelegation.Tool;
using KcdDelegation.Tool.Output;

return await KcdCommandLine.RunAsync(args, Streams.OfConsole());
