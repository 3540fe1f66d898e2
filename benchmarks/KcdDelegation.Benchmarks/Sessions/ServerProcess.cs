using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using KcdDelegation.Benchmarks.Gateway;

namespace KcdDelegation.Benchmarks.Sessions;

/// <summary>A server program on the processors of the gateway.</summary>
internal sealed class ServerProcess : IDisposable
{
    private const int KeptLines = 20;

    private readonly Process _process;
    private readonly Queue<string> _lines = new();

    private ServerProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public static ServerProcess Start(IEnumerable<(string Name, string Value)> environment, params string[] command)
    {
        var start = new ProcessStartInfo("taskset", ["--cpu-list", ProcessorSet.Gateway.ToString(), .. command])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var server = new ServerProcess(Process.Start(start)!);
        server._process.OutputDataReceived += server.Keep;
        server._process.ErrorDataReceived += server.Keep;
        server._process.BeginOutputReadLine();
        server._process.BeginErrorReadLine();
        return server;
    }

    /// <summary>Returns a port that is free now, below those that Linux uses for connections.</summary>
    public static int FindPort()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(20_000, 32_000);
            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Another program listens there.
            }
        }
    }

    /// <summary>Waits until the server accepts connections.</summary>
    public async Task WaitAsync(int port)
    {
        var end = Stopwatch.GetTimestamp() + (30 * Stopwatch.Frequency);
        while (true)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException) when (!_process.HasExited && Stopwatch.GetTimestamp() < end)
            {
                await Task.Delay(50);
            }
            catch (SocketException error)
            {
                throw new InvalidOperationException($"The server did not start: {ReadLastLines()}", error);
            }
        }
    }

    /// <summary>Returns the last lines of the output.</summary>
    public string ReadLastLines()
    {
        lock (_lines)
            return string.Join('\n', _lines);
    }

    public void Dispose()
    {
        // SIGTERM, so that a server with several processes ends all of them.
        if (!_process.HasExited)
        {
            using var kill = Process.Start("kill", ["-TERM", Id.ToString(CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
            if (!_process.WaitForExit(TimeSpan.FromSeconds(15)))
                _process.Kill(entireProcessTree: true);
        }
        _process.Dispose();
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_lines)
        {
            if (line.Data is not null)
                _lines.Enqueue(line.Data);
            if (_lines.Count > KeptLines)
                _lines.Dequeue();
        }
    }
}
