using KcdDelegation.Gateway.Settings;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>The secret of the gateway at a provider.</summary>
internal static class ClientSecret
{
    /// <summary>Reads the secret from its file; null for a public client.</summary>
    /// <exception cref="SignInException">The file cannot be read.</exception>
    public static async Task<string?> ReadAsync(SignInOptions? signIn, CancellationToken cancellationToken)
    {
        if (signIn?.ClientSecretFile is not { } path)
            return null;
        try
        {
            return (await File.ReadAllTextAsync(path, cancellationToken)).TrimEnd('\r', '\n');
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SignInException(
                SignInFailure.ProviderUnavailable, $"The file of SignIn:ClientSecretFile cannot be read ({error.GetType().Name}).");
        }
    }
}
