using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KcdDelegation.Http;

/// <summary>The channel binding "tls-server-end-point" of RFC 5929 §4: a hash of the server's certificate.</summary>
internal static class TlsServerEndPoint
{
    private const string RsaPss = "1.2.840.113549.1.1.10";
    private const string Mgf1 = "1.2.840.113549.1.1.8";
    private const string Sha1 = "1.3.14.3.2.26";

    /// <summary>Creates the application data for the authenticator's checksum: "tls-server-end-point:" and the hash.</summary>
    /// <remarks>The result is empty where the RFC defines no binding: the signature algorithm has no separate hash function (Ed25519,
    /// Ed448) or two different ones.</remarks>
    public static ReadOnlyMemory<byte> CreateApplicationData(X509Certificate2 certificate)
    {
        if (GetSignatureHash(certificate) is not { } hash)
            return default;
        // RFC 5929 §4.1: "if the certificate's signatureAlgorithm uses a single hash function and that hash function is either MD5 or
        // SHA-1, then use SHA-256".
        if (hash == HashAlgorithmName.MD5 || hash == HashAlgorithmName.SHA1)
            hash = HashAlgorithmName.SHA256;
        // The hash covers the DER encoding of the certificate as it was received.
        return (byte[])[.. "tls-server-end-point:"u8, .. CryptographicOperations.HashData(hash, certificate.RawDataMemory.Span)];
    }

    private static HashAlgorithmName? GetSignatureHash(X509Certificate2 certificate) => certificate.SignatureAlgorithm.Value switch
    {
        // RFC 8017 A.2.4: md5WithRSA, sha1WithRSA, sha256/384/512WithRSA.
        "1.2.840.113549.1.1.4" => HashAlgorithmName.MD5,
        "1.2.840.113549.1.1.5" => HashAlgorithmName.SHA1,
        "1.2.840.113549.1.1.11" => HashAlgorithmName.SHA256,
        "1.2.840.113549.1.1.12" => HashAlgorithmName.SHA384,
        "1.2.840.113549.1.1.13" => HashAlgorithmName.SHA512,
        // RFC 3279 §2.2.3, RFC 5758 §3.2: ecdsa-with-SHA1/256/384/512.
        "1.2.840.10045.4.1" => HashAlgorithmName.SHA1,
        "1.2.840.10045.4.3.2" => HashAlgorithmName.SHA256,
        "1.2.840.10045.4.3.3" => HashAlgorithmName.SHA384,
        "1.2.840.10045.4.3.4" => HashAlgorithmName.SHA512,
        RsaPss => ReadPssHash(certificate.RawDataMemory),
        _ => null,
    };

    /// <summary>Returns null for malformed parameters: they name no hash function, so there is no binding.</summary>
    private static HashAlgorithmName? ReadPssHash(ReadOnlyMemory<byte> rawCertificate)
    {
        try
        {
            return ParsePssHash(rawCertificate);
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    /// <summary>Reads the hash function of an RSASSA-PSS signature. It counts only if the mask uses the same function.</summary>
    /// <remarks>RFC 4055 §3.1: RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0] DEFAULT sha1, maskGenAlgorithm [1] DEFAULT mgf1SHA1,
    /// saltLength [2] DEFAULT 20, trailerField [3] DEFAULT 1 }.</remarks>
    private static HashAlgorithmName? ParsePssHash(ReadOnlyMemory<byte> rawCertificate)
    {
        // RFC 5280 §4.1: Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm AlgorithmIdentifier, signatureValue }.
        var certificate = new AsnReader(rawCertificate, AsnEncodingRules.DER).ReadSequence();
        certificate.ReadEncodedValue();
        var algorithm = certificate.ReadSequence();
        algorithm.ReadObjectIdentifier();
        var parameters = algorithm.ReadSequence();

        var (hash, maskHash) = (Sha1, Sha1);
        if (EnterOptional(parameters, 0) is { } hashField)
            hash = hashField.ReadSequence().ReadObjectIdentifier();
        if (EnterOptional(parameters, 1) is { } maskField)
        {
            var mask = maskField.ReadSequence();
            if (mask.ReadObjectIdentifier() != Mgf1)
                return null;
            maskHash = mask.ReadSequence().ReadObjectIdentifier();
        }
        EnterOptional(parameters, 2);
        EnterOptional(parameters, 3);
        parameters.ThrowIfNotEmpty();
        if (hash != maskHash)
            return null;
        return hash switch
        {
            Sha1 => HashAlgorithmName.SHA1,
            "2.16.840.1.101.3.4.2.1" => HashAlgorithmName.SHA256,
            "2.16.840.1.101.3.4.2.2" => HashAlgorithmName.SHA384,
            "2.16.840.1.101.3.4.2.3" => HashAlgorithmName.SHA512,
            _ => null,
        };
    }

    private static AsnReader? EnterOptional(AsnReader fields, int number)
    {
        var tag = new Asn1Tag(TagClass.ContextSpecific, number, isConstructed: true);
        return fields.HasData && fields.PeekTag() == tag ? fields.ReadSequence(tag) : null;
    }
}
