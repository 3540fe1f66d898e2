using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>The KDCs that krb5.conf lists. The file is read again once a minute at most.</summary>
/// <param name="paths">The files.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
/// <param name="isForPasswords">Whether the password servers are meant, instead of the KDCs.</param>
internal sealed class Krb5ConfigurationKdcs(
    IReadOnlyList<string> paths, TimeProvider time, ILogger logger, bool isForPasswords = false) : IKdcLocator
{
    private static readonly TimeSpan ReloadInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private Krb5Configuration? _configuration;
    private long _readAt;

    public ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_configuration is null || time.GetElapsedTime(_readAt) >= ReloadInterval)
            {
                _configuration = Krb5Configuration.Load(paths, logger);
                _readAt = time.GetTimestamp();
            }
            return new(isForPasswords ? _configuration.GetPasswordServers(realm) : _configuration.GetKdcs(realm));
        }
    }
}
