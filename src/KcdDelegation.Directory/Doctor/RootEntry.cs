using System.Formats.Asn1;
using System.Net;
using System.Net.Sockets;
using KcdDelegation.DirectoryServices.Connections;
using KcdDelegation.DirectoryServices.Messages;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The entry in which a directory server describes itself to every client (rootDSE, RFC 4512 §5.1). It is not
/// authenticated.</summary>
/// <param name="Address">The address that was asked.</param>
/// <param name="HostName">The DNS name of the server, or null.</param>
/// <param name="Domain">The distinguished name of its domain, or null.</param>
/// <param name="IsSamba">Whether it names Samba as its vendor.</param>
/// <param name="FunctionalLevel">domainControllerFunctionality, or null.</param>
internal sealed record RootEntry(IPAddress Address, string? HostName, string? Domain, bool IsSamba, string? FunctionalLevel)
{
    public const int Port = 389;

    private const int MaxLength = 256 << 10;

    private static readonly LdapSearch Search = new()
    {
        Base = "",
        Scope = LdapScope.Base,
        Attributes = ["dnsHostName", "defaultNamingContext", "vendorName", "domainControllerFunctionality"],
        PageSize = 0,
    };

    /// <summary>Asks the host of a KDC. A domain controller is both.</summary>
    /// <exception cref="DirectoryException">The server cannot be reached, or its answer is malformed.</exception>
    public static async Task<RootEntry> ReadAsync(string host, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        try
        {
            var address = (await SystemHostResolver.ResolveAsync(host, deadline.Token).ConfigureAwait(false))[0];
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(new IPEndPoint(address, Port), deadline.Token).ConfigureAwait(false);
            var stream = new LdapStream(new NetworkStream(socket), host, MaxLength, timeout);
            await using var disposal = stream.ConfigureAwait(false);
            return await ReadAsync(stream, address, host, deadline.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            throw DirectoryException.Unreachable(host, error.Message, error);
        }
        catch (AsnContentException error)
        {
            throw DirectoryException.Rejected(host, $"a message of the server is malformed: {error.Message}", error);
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw DirectoryException.Unreachable(host, $"no answer within {timeout.TotalSeconds:0.#} seconds", error);
        }
    }

    private static async Task<RootEntry> ReadAsync(
        LdapStream stream, IPAddress address, string host, CancellationToken cancellationToken)
    {
        var request = LdapRequest.EncodeSearch(1, Search, Search.Attributes, sizeLimit: 1, timeLimit: 5, null);
        await stream.SendAsync(request, cancellationToken).ConfigureAwait(false);
        RootEntry? found = null;
        while (true)
        {
            var message = await stream.ReceiveAsync(isSecret: false, cancellationToken).ConfigureAwait(false);
            switch (LdapResponse.Decode(message, maxValues: 256))
            {
                case LdapResponse.Entry { MessageId: 1, Name: "" } root when found is null:
                    using (var entry = new LdapEntry(root.Name, message))
                    {
                        foreach (var attribute in root.Attributes)
                            entry.Add(attribute.Type, attribute.Values);
                        found = Read(entry, address);
                    }
                    break;
                case LdapResponse.Done { MessageId: 1 }:
                    return found ?? throw DirectoryException.Rejected(host, "the server has no rootDSE");
                default:
                    throw DirectoryException.Rejected(host, "the server answered a search with another operation");
            }
        }
    }

    private static RootEntry Read(LdapEntry entry, IPAddress address) => new(
        address,
        entry.GetText("dnsHostName") is { } name && DirectoryServer.IsHostName(name) ? name : null,
        entry.GetText("defaultNamingContext"),
        entry.GetText("vendorName")?.Contains("Samba", StringComparison.OrdinalIgnoreCase) == true,
        entry.GetText("domainControllerFunctionality"));
}
