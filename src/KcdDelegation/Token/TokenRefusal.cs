using KcdDelegation.Diagnosis;

namespace KcdDelegation.Token;

/// <summary>The exceptions for tokens that are not accepted. Messages quote at most a bounded, printable part of the token.</summary>
internal static class TokenRefusal
{
    private const string FreshToken = "Get a new access token from the issuer and send it unchanged.";

    public static KcdException TooLarge(int length, int limit) => Create(KcdEventId.TokenTooLarge,
        $"The token has {length} characters, more than the limit of {limit}.", "Configure the issuer to put fewer groups into it.");

    public static KcdException Malformed(string why) => Create(KcdEventId.TokenMalformed, $"The token is malformed: {why}.", FreshToken);

    public static KcdException DuplicateMembers(string part) => Create(KcdEventId.TokenMembersDoubled,
        $"The token's {part} has duplicate members, which two readers may interpret differently (RFC 8725 §2.6).",
        "Find the origin of this token: issuers do not send duplicate members.");

    public static KcdException Encrypted() => Create(KcdEventId.TokenEncrypted,
        "The token is encrypted (JWE).",
        "Configure the issuer to sign it only: remove the token encryption certificate of the application.");

    public static KcdException TypeRefused(string type) => Create(KcdEventId.TokenTypeRefused,
        $"The token is of the type {Brief(type)}, not an access token.", "Send the access token, not another token of the same issuer.");

    public static KcdException CriticalExtension() => Create(KcdEventId.TokenCriticalExtension,
        "The token requires support for an extension (crit, RFC 7515 §4.1.11), and none is supported.",
        "Configure the issuer to send plain signed tokens.");

    public static KcdException AlgorithmRefused(string? algorithm) => Create(KcdEventId.TokenAlgorithmRefused,
        $"The token's algorithm {Brief(algorithm)} is not an asymmetric signature.",
            "Configure the issuer to sign with RS256, PS256 or ES256; none and HMAC are never accepted.");

    public static KcdException KeyUnknown(string kid) => Create(KcdEventId.TokenKeyUnknown,
        $"The issuer publishes no signing key {Brief(kid)}.",
            "Get a new token. If the error persists, compare Kcd:Token:Authority with the issuer of the token. An Entra application "
                + "with its own signing key needs ?appid=CLIENT-ID at the end of the address.");

    public static KcdException KeyUnknownYet(string kid) => (Refusal(KcdEventId.TokenKeyUnknown,
        $"The signing key {Brief(kid)} is not known, and the issuer's keys were requested a moment ago.",
        "Try again in 30 seconds.") with { IsTransient = true }).ToException();

    public static KcdException KeyRefused(string kid, string why) => Create(KcdEventId.TokenKeyRefused,
        $"The issuer's signing key {Brief(kid)} is not used: {why}.",
            "Configure the issuer to sign with RSA of 2,048 bits or more, or with a NIST curve.");

    public static KcdException SignatureWrong() => Create(KcdEventId.TokenSignatureWrong,
        "The token's signature is wrong: the token was changed, or another party created it.", FreshToken);

    public static KcdException Expired() =>
        Create(KcdEventId.TokenExpired, "The token has expired.", "Get a new token. If it is new, compare the clocks.");

    public static KcdException NotYetValid() => Create(KcdEventId.TokenNotYetValid,
        "The token is not valid yet, or was issued in the future.", "Compare this machine's clock with the issuer's (NTP).");

    public static KcdException IssuerWrong(string? issuer, string expected, string? accessTokenIssuer) =>
        Create(KcdEventId.TokenIssuerWrong,
        $"The token is from the issuer {PrintableText.Quoted(issuer)}, not from {PrintableText.Quoted(expected)}"
            + (accessTokenIssuer is null ? "." : $" or {PrintableText.Quoted(accessTokenIssuer)}."),
        "Send a token of the configured issuer. In Entra, tokens of version 1.0 come from sts.windows.net: set "
            + "requestedAccessTokenVersion to 2 in the application's manifest, or write Kcd:Token:Authority without /v2.0. In AD FS, "
            + "access tokens come from the access_token_issuer of the discovery document at Kcd:Token:Authority.");

    public static KcdException TenantWrong(string? tenant) =>
        Create(KcdEventId.TokenTenantWrong, $"The token has no claim tid, which must be the tenant {PrintableText.From(tenant)}.",
        "Sign in with an account of the configured tenant.");

    public static KcdException AudienceWrong(IReadOnlyList<string> audiences, string expected, string setting) =>
        Create(KcdEventId.TokenAudienceWrong,
        $"The token is for the audience {string.Join(" and ", audiences.Take(3).DefaultIfEmpty("").Select(PrintableText.Quoted))}, not for "
            + $"{PrintableText.Quoted(expected)}.",
        $"Ask the issuer for a token for this gateway (scope), or correct {setting}; it is compared character by character.");

    public static KcdException KeyIssuerWrong(string kid, string keyIssuer, string? issuer) => Create(KcdEventId.TokenKeyIssuerWrong,
        $"The signing key {Brief(kid)} belongs to the issuer {PrintableText.Quoted(keyIssuer)}, and the token is from "
            + $"{PrintableText.Quoted(issuer)}.",
        "Find the origin of this token: the issuer never signs tokens of this tenant with this key.");

    public static KcdException KindWrong(string cause, string remedy) => Create(KcdEventId.TokenKindWrong, cause, remedy);

    public static KcdException AuthorizedPartyWrong(string? party, string client) => Create(KcdEventId.TokenAuthorizedPartyWrong,
        $"The ID token was issued to {PrintableText.Quoted(party)} (azp), not to {PrintableText.Quoted(client)}.",
        "Sign in with the client of Kcd:Token:ClientId. A token for several audiences must name it in azp.");

    public static KcdException NonceWrong() => Create(KcdEventId.TokenNonceWrong,
        "The ID token's nonce is not the one of this sign-in.",
        "Start the sign-in again. If the error persists, check that the sign-in and its answer use one session.");

    public static KcdException KindNotConfigured(string kind, string setting) => DelegationFailure.Identity(
        KcdErrorKind.Configuration, KcdEventId.TokenNotConfigured,
        $"No {kind} can be accepted, because {setting} is not set.", $"Set {setting} to the aud of these tokens.").ToException();

    public static KcdException NotConfigured() => DelegationFailure.Identity(
        KcdErrorKind.Configuration,
        KcdEventId.TokenNotConfigured,
        "No issuer is configured, so no token can be accepted.",
        "Set Kcd:Token:Authority, Audience (or ClientId) and TenantId, or pass principals that the host has authenticated.").ToException();

    private static string Brief(string? text) => PrintableText.Quoted(PrintableText.From(text, 48));

    private static DelegationFailure Refusal(int eventId, string cause, string remedy) =>
        DelegationFailure.Identity(KcdErrorKind.NotAuthenticated, eventId, cause, remedy);

    private static KcdException Create(int eventId, string cause, string remedy) => Refusal(eventId, cause, remedy).ToException();
}
