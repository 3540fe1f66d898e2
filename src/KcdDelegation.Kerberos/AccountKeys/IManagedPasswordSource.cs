namespace KcdDelegation.Kerberos;

/// <summary>A source of the password of a group managed service account, usually the directory. Implementations are thread-safe.</summary>
public interface IManagedPasswordSource
{
    /// <summary>Reads the account's current and previous password.</summary>
    /// <param name="account">The account's sAMAccountName, with its <c>$</c>.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>The passwords. The caller owns them.</returns>
    /// <exception cref="ManagedPasswordException">The password cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was canceled.</exception>
    Task<ManagedPassword> ReadAsync(string account, CancellationToken cancellationToken);
}
