using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Hosting;

namespace KcdDelegation.Gateway.Hosting;

/// <summary>Tells systemd that the gateway is ready, and that it stops (<c>Type=notify</c>, sd_notify(3)). Does nothing
/// elsewhere.</summary>
internal sealed class SystemdNotifier(IHostApplicationLifetime lifetime) : IHostedService
{
    private const string SocketVariable = "NOTIFY_SOCKET";

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (Environment.GetEnvironmentVariable(SocketVariable) is { Length: > 0 } path)
        {
            lifetime.ApplicationStarted.Register(() => Send(path, "READY=1"));
            lifetime.ApplicationStopping.Register(() => Send(path, "STOPPING=1"));
        }
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Sends a message. A socket that is gone is not an error of the gateway.</summary>
    internal static void Send(string path, string message)
    {
        // A name that starts with @ is one of the abstract namespace (unix(7)).
        var address = new UnixDomainSocketEndPoint(path.StartsWith('@') ? $"\0{path[1..]}" : path);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            socket.SendTo(Encoding.UTF8.GetBytes(message), address);
        }
        catch (SocketException)
        {
            // systemd has ended the unit already.
        }
    }
}
