using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Kerberos;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.DirectoryServices;

/// <summary>The options of a <see cref="DirectoryClient"/>.</summary>
public sealed class DirectoryClientOptions
{
    /// <summary>Gets or sets the client of the account that reads the directory. It is not owned.</summary>
    public required S4UClient Reader { get; set; }

    /// <summary>Gets or sets the DNS name of the domain, such as <c>contoso.com</c>.</summary>
    public required string Domain { get; set; }

    /// <summary>Gets the servers, in the order in which they are tried. If the list is empty, DNS is asked for
    /// <c>_ldap._tcp.dc._msdcs.DOMAIN</c> and then <c>_ldap._tcp.DOMAIN</c>.</summary>
    public IList<DirectoryServer> Servers { get; } = [];

    /// <summary>Gets or sets whether TLS protects the connections (port 636). The bind is then bound to the server's certificate (RFC
    /// 5929). Otherwise Kerberos encrypts them (port 389).</summary>
    public bool UseTls { get; set; }

    /// <summary>Gets the authorities whose certificates are accepted with TLS. If the collection is empty, those of the system
    /// are.</summary>
    public X509Certificate2Collection TrustAnchors { get; } = [];

    /// <summary>Gets or sets the mechanism of the bind.</summary>
    public DirectoryMechanism Mechanism { get; set; }

    /// <summary>Gets or sets the time budget of a search: for the ticket, connection, bind and all pages.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Gets or sets the time that a server may take for the connection, before another server is tried.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Gets or sets the time that a server may be silent while an answer is outstanding, before another server is tried.</summary>
    /// <remarks>At most half of <see cref="Timeout"/> is used, so that time is left for the other server.</remarks>
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets or sets the largest number of entries of a search.</summary>
    public int MaxEntries { get; set; } = 10_000;

    /// <summary>Gets or sets the largest number of values in one entry.</summary>
    public int MaxValues { get; set; } = 100_000;

    /// <summary>Gets or sets the largest length in bytes of one message of a server.</summary>
    public int MaxMessageLength { get; set; } = 4 << 20;

    /// <summary>Gets or sets the largest total length in bytes of the messages of a search.</summary>
    public long MaxResultLength { get; set; } = 32 << 20;

    /// <summary>Gets or sets the largest number of connections at a time. Further searches wait.</summary>
    public int MaxConnections { get; set; } = 4;

    /// <summary>Gets or sets the factory of the client's logger.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>Gets or sets the clock.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}
