using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Runtime;
using KcdDelegation.Benchmarks.Gateway;
using KcdDelegation.Benchmarks.Sessions;

/// <summary>Runs in the measured program before its entry point, because <c>DOTNET_STARTUP_HOOKS</c> names this assembly. It answers
/// questions about the process over a local socket.</summary>
/// <remarks>The runtime requires this name, and no namespace. Only types of the platform can be used: the measured program has its own
/// dependencies.</remarks>
[SuppressMessage("Design", "CA1050:Declare types in namespaces", Justification = "The runtime requires it.")]
[SuppressMessage("Design", "MA0047:Declare types in namespaces", Justification = "The runtime requires it.")]
internal static class StartupHook
{
    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(RuntimeChannel.Variable) is { } path)
            new Thread(() => Answer(path)) { IsBackground = true, Name = "benchmark" }.Start();
    }

    private static void Answer(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(path));
        using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        using var writer = new StreamWriter(stream) { AutoFlush = true };
        while (reader.ReadLine() is { } command)
        {
            if (command == RuntimeChannel.Collect)
                Collect();
            writer.WriteLine(ProcessUsage.Read());
        }
    }

    /// <summary>Collects garbage, and returns free memory to the system.</summary>
    private static void Collect()
    {
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        for (var i = 0; i < 2; i++)
        {
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
    }
}
