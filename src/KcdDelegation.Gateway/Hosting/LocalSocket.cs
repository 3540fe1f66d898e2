using System.Net.Sockets;

namespace KcdDelegation.Gateway.Hosting;

/// <summary>Binds sockets of the file system (unix(7)).</summary>
internal static class LocalSocket
{
    /// <summary>Binds a socket to a path, in place of that of a process that has ended. Clients can connect when it listens.</summary>
    /// <param name="path">The path.</param>
    /// <param name="mode">Who can connect. It is set before the socket listens.</param>
    /// <exception cref="IOException">There is another file, or a process listens at it.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the folder is denied.</exception>
    /// <exception cref="SocketException">The socket cannot be bound.</exception>
    public static Socket Bind(string path, UnixFileMode mode)
    {
        if (IsOfEndedProcess(path))
            File.Delete(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, mode);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Determines whether there is a socket that no process listens at; false without a file.</summary>
    /// <remarks>A path that names another file by mistake, such as a keytab, must not lead to its deletion.</remarks>
    private static bool IsOfEndedProcess(string path)
    {
        if (!Path.Exists(path))
            return false;
        if (Directory.Exists(path) || CanOpen(path))
            throw new IOException($"There is another file at {path}.");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return true;
        }
        throw new IOException($"Another process listens at {path}.");
    }

    /// <summary>Determines whether a file can be opened, which no socket can (ENXIO of open(2)). For reading and writing, a pipe without
    /// a reader does not block.</summary>
    private static bool CanOpen(string path)
    {
        try
        {
            File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete).Dispose();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
