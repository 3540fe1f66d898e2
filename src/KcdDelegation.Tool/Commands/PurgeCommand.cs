using System.CommandLine;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary><c>kcd purge</c>: removes tickets from a running gateway.</summary>
internal sealed class PurgeCommand(CommandRunner runner)
{
    private const string Notes =
        """
        Removes tickets from the cache of a running kcd-gateway, over the local socket of its setting
        Operation:AdminSocket. Use it after a user was disabled, or after the key of a service was
        replaced. A user who is signed in gets new tickets, if the directory still allows it, unless
        --sessions ends the sessions too. Run it as the user of the gateway.

        Examples:
          kcd purge --socket /run/kcd-gateway/admin.sock --user ada@contoso.com --sessions
          kcd purge --socket /run/kcd-gateway/admin.sock --app erp
          kcd purge --socket /run/kcd-gateway/admin.sock --all
        """;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(60);

    private readonly Option<string> _socket = new("--socket")
    {
        Description = "The socket of the gateway.", HelpName = "PATH", Required = true,
    };

    private readonly Option<string?> _user = new("--user")
    {
        Description = "The user, under the name in the directory.", HelpName = "NAME",
    };

    private readonly Option<string?> _application = new("--app") { Description = "The application, for all users.", HelpName = "NAME" };

    private readonly Option<bool> _all = new("--all") { Description = "All tickets of all users and accounts." };

    private readonly Option<bool> _sessions = new("--sessions")
    {
        Description = "End the sessions of the user, or with --all all sessions.",
    };

    public Command Create()
    {
        var command = new DocumentedCommand("purge", "Remove tickets from a running gateway.") { Notes = Notes };
        command.Add(_socket);
        command.Add(_user);
        command.Add(_application);
        command.Add(_all);
        command.Add(_sessions);
        runner.SetAction(command, RunAsync);
        return command;
    }

    private async Task<CommandResult> RunAsync(ParseResult parsed, ILoggerFactory log, CancellationToken cancellationToken)
    {
        var (user, application, all) = (parsed.GetValue(_user), parsed.GetValue(_application), parsed.GetValue(_all));
        var sessions = parsed.GetValue(_sessions);
        var request = (user, application, all) switch
        {
            ({ Length: > 0 }, null, false) => Serialize("user", user, sessions),
            (null, { Length: > 0 }, false) when sessions => throw new UsageException("Write --sessions with --user or --all."),
            (null, { Length: > 0 }, false) => Serialize("application", application, sessions),
            (null, null, true) => Serialize("all", true, sessions),
            _ => throw new UsageException("Write one of --user, --app and --all."),
        };
        var path = parsed.GetRequiredValue(_socket);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(s_timeout);
        try
        {
            return PurgeResult.Parse(await SendAsync(path, request, timeout.Token));
        }
        catch (SocketException error)
        {
            return PurgeResult.Unreachable(path, error.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return PurgeResult.Unreachable(path, "there was no answer in time");
        }
    }

    private static async Task<string> SendAsync(string path, byte[] request, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
        await socket.SendAsync(request, cancellationToken);
        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadLineAsync(cancellationToken) ?? "";
    }

    private static byte[] Serialize(string name, object value, bool sessions)
    {
        var request = new Dictionary<string, object>(StringComparer.Ordinal) { [name] = value };
        if (sessions)
            request["sessions"] = true;
        return [.. JsonSerializer.SerializeToUtf8Bytes(request), (byte)'\n'];
    }
}
